"""The few sets of cards worth naming for a workload, and what just does not fit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

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
    needed = engine_named(workload.engine).card_needs(shape)
    asked = Workload(engine=workload.engine, weight_format=resolved.weight_format or "", util=workload.util)
    by_class = candidates_of(asked, needed, tuple(cards), tuple(counts))
    needs = _Needs(shape, workload)
    return tuple(_recommendation(name, by_class.get(name, ()), needs, per_class) for name in CLASSES)


_Miss = tuple[Candidate, int]  # a set that does not fit, and the bytes that its fullest card needs


class _Needs:
    """What a workload needs on each candidate, placed once for all on which it lies the same."""

    def __init__(self, shape: Shape, workload: Workload) -> None:
        self.shape, self.workload = shape, workload
        self.placements: dict[tuple[Alike, int], Placement] = {}
        self.most: dict[tuple[Alike, int], tuple[int, int, int] | None] = {}

    def placement(self, asked: Alike, devices: int) -> Placement:
        key = (asked, devices)
        if key not in self.placements:
            self.placements[key] = place(self.shape, asked.on(self.workload), devices)
        return self.placements[key]

    def weighed(self, candidate: Candidate) -> tuple[int, bool] | None:
        """The most that the fullest card needs, and whether the program takes so much unasked, what it does not count
        beside. None where the model cannot be split so."""
        if candidate.lies not in self.most:
            placed = self.placement(*candidate.lies).estimate
            self.most[candidate.lies] = None if placed is None else _most(placed)
        if (most := self.most[candidate.lies]) is None:
            return None
        device_bytes, least_outside, most_outside = most
        card, unasked = candidate.card, candidate.most_bytes
        needed = (device_bytes + candidate.more_bytes) * card.devices
        return needed, starts(card, unasked, least_outside) and needed <= offered_beside(card, unasked, most_outside)

    def fit(self, candidate: Candidate) -> Fit:
        placed = self.placement(candidate.asked, candidate.lies[1])
        return judge(placed, candidate.card, candidate.count, candidate.said)


def _most(placed: Estimate) -> tuple[int, int, int]:
    """The upper end of the interval, without an engine's allowance, which is a card's own; then the least and the most
    that lies outside of what the program counts."""
    measured = placed.per_card_range_bytes
    least_outside, _, most_outside = placed.outside_bytes
    return placed.per_card_bytes if measured is None else measured[1], least_outside, most_outside


def _recommendation(card_class: str, candidates: Sequence[Candidate], needs: _Needs, per_class: int) -> Recommendation:
    good: list[Candidate] = []
    misses: list[_Miss] = []
    for candidate in candidates:  # fewest cards first
        if good and not _comparable(candidate, good[0]):
            break  # sets of many more cards are neither a bargain nor a near miss
        weighed = needs.weighed(candidate)
        if weighed and weighed[1]:
            good.append(candidate)
        elif weighed:
            misses.append((candidate, weighed[0]))
    picks = good[:1]
    while good and len(picks) < per_class:
        other = _cheapest(good, picks) or _different(good, picks)
        if other is None:
            break
        picks.append(other)
    miss = _nearest_miss(misses, picks)
    return Recommendation(
        card_class=card_class,
        picks=tuple(needs.fit(candidate) for candidate in picks),
        nearest_miss=needs.fit(miss) if miss else None,
    )


def _nearest_miss(misses: Sequence[_Miss], picks: Sequence[Candidate]) -> Candidate | None:
    """The set that comes closest without fitting.

    Beside picks: fewer of the first pick's kind, or else a smaller set of about as many current cards.
    """
    if picks:
        first = picks[0]
        usable = first.card.usable_bytes * first.count
        misses = [miss for miss in misses if miss[0].card.usable_bytes * miss[0].count < usable]
        same = [miss for miss in misses if miss[0].card is first.card]
        misses = same or [miss for miss in misses if miss[0].current] or misses
    nearest = max(misses, key=_closeness, default=None)
    return nearest[0] if nearest else None


def _comparable(candidate: Candidate, first: Candidate) -> bool:
    return candidate.count <= MORE_CARDS * first.count


def _closeness(miss: _Miss) -> tuple[float, int, str]:
    """How near a set comes: the usable share of what it needs; then fewer cards."""
    candidate, needed = miss
    return candidate.card.usable_bytes / needed, -candidate.count, candidate.card.slug


def _cheapest(good: Sequence[Candidate], picks: Sequence[Candidate]) -> Candidate | None:
    """The current set with the lowest launch price, unless it is picked already."""
    priced = [
        (each.card.launch_price_usd * each.count, each.count, each.card.slug, each)
        for each in good
        if each.card.launch_price_usd and each.current
    ]
    if not priced:
        return None
    cheapest = min(priced, key=lambda entry: entry[:3])[3]
    return None if any(each.card is cheapest.card for each in picks) else cheapest


def _different(good: Sequence[Candidate], picks: Sequence[Candidate]) -> Candidate | None:
    """The best set of a vendor not yet picked, else of another size."""
    vendors = {each.card.vendor for each in picks}
    sizes = {each.card.memory_gb for each in picks}
    return next(
        (each for each in good if each.card.vendor not in vendors),
        next((each for each in good if each.card.memory_gb not in sizes), None),
    )
