"""The few sets of cards worth naming for a workload, and what just does not fit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from calculator.architecture.shape import Shape
from calculator.hardware.cards import Card
from calculator.hardware.fit import Fit
from calculator.hardware.terms import CLASSES
from calculator.hardware.verdict import COUNTS, fit_all
from calculator.memory import Workload

CURRENT_YEARS = 4
"""A card counts as current when it is at most this many years older than the newest card on offer."""

BANDWIDTH_STEP = 50_000_000_000
"""Bandwidths within 50 GB/s count as equal, and arithmetic decides (RTX 4090: 1,008 GB/s, RTX 3090 Ti: 1,008.3)."""

MORE_CARDS = 2
"""Other sets may have so many times the cards of the first pick: eight small cards for one large are no bargain."""

PER_CLASS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """For one class of cards: the picks, best first (each `fits`, with headroom), and the nearest set that does not.

    `nearest_miss` fails for want of memory or headroom alone: fewer of a pick's kind, or where nothing fits the set
    that comes closest.
    """

    card_class: str
    picks: tuple[Fit, ...]
    nearest_miss: Fit | None


def recommend(
    shape: Shape, workload: Workload, cards: Iterable[Card], counts: Sequence[int] = COUNTS, per_class: int = PER_CLASS
) -> tuple[Recommendation, ...]:
    """At most `per_class` sets of one kind of card for each class, in the order of `CLASSES`; empty classes too.

    Only sets that keep their headroom are picked. The first pick has the fewest cards, then prefers what the engine
    supports itself, current cards, the least memory that fits, the fastest. The second costs least at launch prices
    where that is another set, or else is the best set of another vendor or size.
    """
    fits = fit_all(shape, workload, cards, counts)
    return choose(fits, per_class)


def choose(fits: Sequence[Fit], per_class: int = PER_CLASS) -> tuple[Recommendation, ...]:
    """`recommend` from answers already at hand."""
    years = [fit.card.release_year for fit in fits if fit.card.release_year]
    oldest_current = max(years, default=0) - CURRENT_YEARS
    return tuple(
        _recommendation(name, [fit for fit in fits if fit.card.card_class == name], oldest_current, per_class)
        for name in CLASSES
    )


def _recommendation(card_class: str, fits: Sequence[Fit], oldest_current: int, per_class: int) -> Recommendation:
    offered = [fit for fit in fits if fit.card.obtainable]
    good = sorted((fit for fit in offered if fit.state == "fits"), key=lambda fit: _rank(fit, oldest_current))
    picks: list[Fit] = good[:1]
    while good and len(picks) < per_class:
        comparable = [fit for fit in good if _comparable(fit, good[0])]
        other = _cheapest(comparable, picks, oldest_current) or _different(comparable, picks)
        if other is None:
            break
        picks.append(other)
    return Recommendation(
        card_class=card_class, picks=tuple(picks), nearest_miss=nearest_miss(offered, picks, oldest_current)
    )


def nearest_miss(fits: Iterable[Fit], picks: Sequence[Fit] = (), oldest_current: int = 0) -> Fit | None:
    """The set that comes closest without fitting comfortably.

    Beside picks: fewer of the first pick's kind, or else a smaller set of about as many current cards.
    """
    misses = [fit for fit in fits if fit.state != "fits" and not fit.refused and fit.spare_bytes is not None]
    if picks:
        first = picks[0]
        misses = [fit for fit in misses if fit.usable_bytes < first.usable_bytes]
        same = [fit for fit in misses if fit.card == first.card]
        comparable = [fit for fit in misses if _comparable(fit, first) and _current(fit.card, oldest_current)]
        misses = same or comparable or misses
    return max(misses, key=_closeness, default=None)


def _comparable(fit: Fit, first: Fit) -> bool:
    return fit.count <= MORE_CARDS * first.count


def _closeness(fit: Fit) -> tuple[float, int, str]:
    """How near a set comes: the usable share of what it needs; then fewer cards."""
    return fit.card.usable_bytes / (fit.per_card_bytes or 1), -fit.count, fit.card.slug


def _rank(fit: Fit, oldest_current: int) -> tuple[int, int, bool, int, int, int, str]:
    card = fit.card
    return (
        fit.count,
        _support_distance(fit),
        not _current(card, oldest_current),
        card.memory_gb,
        -((card.bandwidth_bytes_per_s or 0) // BANDWIDTH_STEP),
        -(card.fp16_flops or 0),
        card.slug,
    )


def _support_distance(fit: Fit) -> int:
    """How far the engine is from supporting the card itself. Plug-ins are the rule for Chinese cards, no handicap."""
    keys = {reason.key for reason in fit.reasons}
    if "engine_support_unknown" in keys:
        return 2
    return 1 if "engine_by_plugin" in keys and fit.card.card_class != "china" else 0


def _current(card: Card, oldest_current: int) -> bool:
    return card.release_year is None or card.release_year >= oldest_current


def _cheapest(good: Sequence[Fit], picks: Sequence[Fit], oldest_current: int) -> Fit | None:
    """The current set with the lowest launch price, unless it is picked already."""
    priced = [
        (fit.card.launch_price_usd * fit.count, fit.count, fit.card.slug, fit)
        for fit in good
        if fit.card.launch_price_usd and _current(fit.card, oldest_current)
    ]
    if not priced:
        return None
    cheapest = min(priced, key=lambda entry: entry[:3])[3]
    return None if any(fit.card == cheapest.card for fit in picks) else cheapest


def _different(good: Sequence[Fit], picks: Sequence[Fit]) -> Fit | None:
    """The best set of a vendor not yet picked, else of another size."""
    vendors = {fit.card.vendor for fit in picks}
    sizes = {fit.card.memory_gb for fit in picks}
    return next(
        (fit for fit in good if fit.card.vendor not in vendors),
        next((fit for fit in good if fit.card.memory_gb not in sizes), None),
    )
