"""The few sets of cards worth naming for a workload, and what just does not fit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import inf
from operator import attrgetter

from calculator.architecture.shape import Shape
from calculator.hardware.candidates import Candidate, candidates_of
from calculator.hardware.cards import Card, Cards
from calculator.hardware.engines import engine_named
from calculator.hardware.engines.base import Alike
from calculator.hardware.fit import Sized
from calculator.hardware.parallel import Fullest, fullest, place, told_fullest
from calculator.hardware.terms import CLASSES
from calculator.hardware.verdict import COUNTS, offered_beside, size, starts
from calculator.memory import ENGINES, Workload
from calculator.memory.engines import resolve
from calculator.memory.workload import UNASKED

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
    picks: tuple[Sized, ...]
    nearest_miss: Sized | None


def recommend(
    shape: Shape, workload: Workload, cards: Iterable[Card], counts: Sequence[int] = COUNTS, per_class: int = PER_CLASS
) -> tuple[Recommendation, ...]:
    """At most `per_class` sets of one kind of card for each class, in the order of `CLASSES`; empty classes too.

    Only sets in which the whole interval fits are picked. The first has the fewest cards, then prefers what the engine
    supports itself, current cards, the least memory that fits, the fastest. The second costs least at launch prices
    where that is another set, or else is the best set of another vendor or size.

    Raises `WorkloadError` for what the engine refuses on any number of cards.
    """
    rounded = engine_named(workload.engine).rounded(workload)
    return _recommend(shape, rounded, Cards.of(cards), tuple(counts), per_class)


@lru_cache(maxsize=256)
def _recommend(
    shape: Shape, workload: Workload, cards: Cards, counts: tuple[int, ...], per_class: int
) -> tuple[Recommendation, ...]:
    needs = _Needs(shape, workload)
    found = []
    for card_class, candidates in needs.candidates(cards, counts):
        picks, miss = _chosen(candidates, needs, per_class)
        sized = tuple(needs.size(pick) for pick in picks)
        found.append(
            Recommendation(card_class=card_class, picks=sized, nearest_miss=needs.size(miss) if miss else None)
        )
    return tuple(found)


class _Needs:
    """What a workload needs on each candidate, placed once for all on which it lies the same, and only where that is
    not told by what all cards hold together at the least."""

    def __init__(self, shape: Shape, workload: Workload) -> None:
        self.shape, self.workload = shape, workload
        self.engine = engine_named(workload.engine)
        self.resolved = resolve(ENGINES[workload.engine], shape, workload)
        self.at_least_bytes = self.engine.at_least_bytes(shape, self.resolved)
        self.fullest: dict[tuple[Alike, int], Fullest | None] = {}

    def candidates(self, cards: Cards, counts: tuple[int, ...]) -> list[tuple[str, Sequence[Candidate]]]:
        """Of each class, in the order of `CLASSES`."""
        needed, resolved = self.engine.card_needs(self.shape), self.resolved
        asked = UNASKED.but(engine=resolved.engine, weight_format=resolved.weight_format or "", util=resolved.util)
        by_class = candidates_of(asked, needed, cards, counts)
        return [(name, by_class.get(name, ())) for name in CLASSES]

    def fits(self, candidate: Candidate) -> bool:
        """Whether the program takes unasked the most that the fullest card needs, what it does not count beside."""
        if self.at_least_bytes > candidate.usable_bytes or (most := self._fullest(*candidate.lies)) is None:
            return False
        least_outside, _, most_outside = most.outside_bytes
        card, unasked = candidate.card, candidate.offered_bytes[0]
        offered = offered_beside(card, unasked, most_outside)
        return starts(card, unasked, least_outside) and self._needed_bytes(candidate, most) <= offered

    def closeness(self, candidate: Candidate) -> float:
        """The usable share of the most that the fullest card needs; 0 where the model cannot be split so."""
        most = self._fullest(*candidate.lies)
        return candidate.card.usable_bytes / self._needed_bytes(candidate, most) if most else 0.0

    def closest(self, candidate: Candidate) -> float:
        """No set comes closer than this."""
        return candidate.usable_bytes / self.at_least_bytes if self.at_least_bytes else inf

    def size(self, candidate: Candidate) -> Sized:
        """Of a candidate that can be split so, on its own kind of card."""
        found = self._fullest(*candidate.lies)
        if found is None:
            raise ValueError(f"{candidate.card.slug} x {candidate.count} holds no share of the model")
        _alike, (least, counted, most) = self.engine.beside(candidate.asked, self.resolved)
        own = Fullest(
            least_bytes=found.least_bytes + least,
            bytes=found.bytes + counted,
            most_bytes=found.most_bytes + most + candidate.allowed_bytes,
            outside_bytes=found.outside_bytes,
        )
        return size(candidate.card, candidate.count, candidate.offered_bytes, own)

    def _fullest(self, asked: Alike, devices: int) -> Fullest | None:
        """None where the model cannot be split so."""
        lies = asked, devices
        if lies not in self.fullest:
            self.fullest[lies] = (
                told_fullest(self.shape, asked.on(self.resolved), devices)
                if self.engine.fullest_bytes
                else fullest(place(self.shape, asked.on(self.workload), devices))
            )
        return self.fullest[lies]

    @staticmethod
    def _needed_bytes(candidate: Candidate, most: Fullest) -> int:
        return (most.most_bytes + candidate.more_bytes) * candidate.card.devices


def _chosen(
    candidates: Sequence[Candidate], needs: _Needs, per_class: int
) -> tuple[Sequence[Candidate], Candidate | None]:
    """The picks among the candidates of a class, best first, and the nearest miss."""
    large = [each for each in candidates if each.usable_bytes >= needs.at_least_bytes]
    first = next((each for each in large if needs.fits(each)), None)  # fewest cards first
    if first is None:
        return (), _nearest(candidates, needs)
    # Sets of many more cards are neither a bargain nor a near miss.
    near = [each for each in candidates if each.count <= MORE_CARDS * first.count]
    return _picks(first, near, needs, per_class), _nearest(_about_as_large(first, near, needs), needs)


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
    for miss in sorted(misses, key=attrgetter("usable_bytes"), reverse=True):
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
