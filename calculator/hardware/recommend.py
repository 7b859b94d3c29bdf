"""The few sets of cards worth naming for a workload, and what just does not fit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf

from calculator.architecture.shape import Shape
from calculator.hardware.candidates import Candidate, candidates_of
from calculator.hardware.cards import Card
from calculator.hardware.engines import engine_named
from calculator.hardware.engines.base import Alike
from calculator.hardware.fit import Fit
from calculator.hardware.parallel import Placement, place
from calculator.hardware.terms import CLASSES
from calculator.hardware.verdict import COUNTS, judge, offered_beside, starts
from calculator.memory import ENGINES, Estimate, Workload
from calculator.memory.engines import resolve

MORE_CARDS = 2
"""Other sets may have so many times the cards of the first pick: eight small cards for one large are no bargain."""

PER_CLASS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """For one class of cards: the picks, best first (each `fits`), and the nearest set that does not.

    `nearest_miss` fails for want of memory alone: fewer of a pick's kind, or where nothing fits the set
    that comes closest.
    """

    card_class: str
    picks: tuple[Fit, ...]
    nearest_miss: Fit | None


def recommend(
    shape: Shape, workload: Workload, cards: Iterable[Card], counts: Sequence[int] = COUNTS, per_class: int = PER_CLASS
) -> tuple[Recommendation, ...]:
    """At most `per_class` sets of one kind of card for each class, in the order of `CLASSES`; empty classes too.

    Only sets in which the whole interval fits are picked. The first has the fewest cards, then prefers what the engine
    supports itself, current cards, the least memory that fits, the fastest. The second costs least at launch prices
    where that is another set, or else is the best set of another vendor or size.
    """
    resolved = resolve(ENGINES[workload.engine], shape, workload)
    engine = engine_named(workload.engine)
    needed = engine.card_needs(shape)
    asked = Workload(engine=workload.engine, weight_format=resolved.weight_format or "", util=workload.util)
    by_class = candidates_of(asked, needed, tuple(cards), tuple(counts))
    needs = _Needs(shape, workload, engine.at_least_bytes(shape, resolved))
    return tuple(_recommendation(name, by_class.get(name, ()), needs, per_class) for name in CLASSES)


class _Needs:
    """What a workload needs on each candidate, placed once for all on which it lies the same, and only where that is
    not told by what all cards hold together at the least."""

    def __init__(self, shape: Shape, workload: Workload, at_least_bytes: int) -> None:
        self.shape, self.workload, self.at_least_bytes = shape, workload, at_least_bytes
        self.placements: dict[tuple[Alike, int], Placement] = {}
        self.most: dict[tuple[Alike, int], tuple[int, int, int] | None] = {}

    def placement(self, asked: Alike, devices: int) -> Placement:
        key = (asked, devices)
        if key not in self.placements:
            self.placements[key] = place(self.shape, asked.on(self.workload), devices)
        return self.placements[key]

    def fits(self, candidate: Candidate) -> bool:
        """Whether the program takes unasked the most that the fullest card needs, what it does not count beside."""
        if self.at_least_bytes > candidate.usable_bytes or (most := self._most(candidate)) is None:
            return False
        _, least_outside, most_outside = most
        card, unasked = candidate.card, candidate.most_bytes
        offered = offered_beside(card, unasked, most_outside)
        return starts(card, unasked, least_outside) and self._needed_bytes(candidate, most) <= offered

    def closeness(self, candidate: Candidate) -> float:
        """The usable share of the most that the fullest card needs; 0 where the model cannot be split so."""
        most = self._most(candidate)
        return candidate.card.usable_bytes / self._needed_bytes(candidate, most) if most else 0.0

    def closest(self, candidate: Candidate) -> float:
        """No set comes closer than this."""
        return candidate.usable_bytes / self.at_least_bytes if self.at_least_bytes else inf

    def fit(self, candidate: Candidate) -> Fit:
        placed = self.placement(candidate.asked, candidate.lies[1])
        return judge(placed, candidate.card, candidate.count, candidate.said)

    def _most(self, candidate: Candidate) -> tuple[int, int, int] | None:
        """As `_most` says; None where the model cannot be split so."""
        if candidate.lies not in self.most:
            placed = self.placement(*candidate.lies).estimate
            self.most[candidate.lies] = None if placed is None else _most(placed)
        return self.most[candidate.lies]

    @staticmethod
    def _needed_bytes(candidate: Candidate, most: tuple[int, int, int]) -> int:
        return (most[0] + candidate.more_bytes) * candidate.card.devices


def _most(placed: Estimate) -> tuple[int, int, int]:
    """The upper end of the interval, without an engine's allowance, which is a card's own; then the least and the most
    that lies outside of what the program counts."""
    measured = placed.per_card_range_bytes
    least_outside, _, most_outside = placed.outside_bytes
    return placed.per_card_bytes if measured is None else measured[1], least_outside, most_outside


def _recommendation(card_class: str, candidates: Sequence[Candidate], needs: _Needs, per_class: int) -> Recommendation:
    first = next((each for each in candidates if needs.fits(each)), None)  # fewest cards first
    if first is None:
        picks, misses = [], candidates
    else:  # sets of many more cards are neither a bargain nor a near miss
        near = [each for each in candidates if each.count <= MORE_CARDS * first.count]
        picks = _picks(first, near, needs, per_class)
        misses = _about_as_large(first, near, needs)
    miss = _nearest(misses, needs)
    return Recommendation(
        card_class=card_class,
        picks=tuple(needs.fit(candidate) for candidate in picks),
        nearest_miss=needs.fit(miss) if miss else None,
    )


def _picks(first: Candidate, near: Sequence[Candidate], needs: _Needs, per_class: int) -> list[Candidate]:
    picks = [first]
    while len(picks) < per_class and (other := _cheapest(near, picks, needs) or _different(near, picks, needs)):
        picks.append(other)
    return picks


def _about_as_large(first: Candidate, near: Sequence[Candidate], needs: _Needs) -> Sequence[Candidate]:
    """What does not fit beside the first pick: fewer of its kind, or else smaller sets of about as many cards, current
    ones before all."""
    smaller = [each for each in near if each.usable_bytes < first.usable_bytes]
    if same := [each for each in smaller if each.card is first.card and not needs.fits(each)]:
        return same
    misses = [each for each in smaller if not needs.fits(each)]
    return [each for each in misses if each.current] or misses


def _nearest(misses: Sequence[Candidate], needs: _Needs) -> Candidate | None:
    """The set that comes closest without fitting; of equals, what is sold everywhere and fewer cards. The largest are
    asked first, until no other can come closer."""
    nearest, found = None, (0.0, False, 0, "")
    for miss in sorted(misses, key=lambda each: each.usable_bytes, reverse=True):
        if needs.closest(miss) < found[0]:
            break
        close = needs.closeness(miss), not miss.card.sold_in, -miss.count, miss.card.slug
        if close[0] and (nearest is None or close > found):
            nearest, found = miss, close
    return nearest


def _cheapest(near: Sequence[Candidate], picks: Sequence[Candidate], needs: _Needs) -> Candidate | None:
    """The current set with the lowest launch price that fits, unless its cards are picked already."""
    priced = [each for each in near if each.price_usd and each.current and not each.card.sold_in]
    priced.sort(key=lambda each: (each.price_usd, each.count, each.card.slug))
    cheapest = next((each for each in priced if needs.fits(each)), None)
    return None if cheapest is None or any(each.card is cheapest.card for each in picks) else cheapest


def _different(near: Sequence[Candidate], picks: Sequence[Candidate], needs: _Needs) -> Candidate | None:
    """The best set of a vendor not yet picked, else of another size."""
    vendors = {each.card.vendor for each in picks}
    sizes = {each.card.memory_gb for each in picks}
    others = [each for each in near if each.card.vendor not in vendors]
    others += [each for each in near if each.card.memory_gb not in sizes]
    return next((each for each in others if needs.fits(each)), None)
