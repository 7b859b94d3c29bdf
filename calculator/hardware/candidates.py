"""The sets of cards that could be put together, in the order in which they are tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from calculator.hardware.cards import Card, Cards
from calculator.hardware.engines import engine_named
from calculator.hardware.engines.base import Alike
from calculator.hardware.reason import Reason
from calculator.hardware.verdict import card_reasons
from calculator.memory import Workload

CURRENT_YEARS = 4
"""A card counts as current when it is at most this many years older than the newest card on offer."""

BANDWIDTH_STEP = 50_000_000_000
"""Bandwidths within 50 GB/s count as equal, and arithmetic decides (RTX 4090: 1,008 GB/s, RTX 3090 Ti: 1,008.3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A set of cards that could be put together, and all about it that does not depend on how much memory is needed.

    `asked` is its own kind, `lies` the placement that it shares with others, on which each of its devices needs
    `more_bytes` more at the most; `allowed_bytes` of them are the engine's allowance. `offered_bytes` is what the
    engine takes of one card, unasked and at the most.
    """

    card: Card
    count: int
    asked: Alike
    lies: tuple[Alike, int]
    more_bytes: int
    allowed_bytes: int
    offered_bytes: tuple[int, int]
    usable_bytes: int  # of all its cards, as is the price
    price_usd: int  # at launch; 0 where it is not known
    current: bool
    rank: tuple[int, int, bool, bool, int, int, int, str]
    said: tuple[Reason, ...]


@lru_cache(maxsize=32)
def candidates_of(
    workload: Workload, needs: frozenset[str], cards: Cards, counts: tuple[int, ...]
) -> Mapping[str, tuple[Candidate, ...]]:
    """All sets that anybody can put together, by class, best first; slow to make, so kept per question, of which
    `workload` has no more than the cards themselves depend on."""
    newest = max((card.release_year for card in cards if card.release_year), default=0)
    of_engine = engine_named(workload.engine)
    found: dict[str, list[Candidate]] = {}
    for card in cards:
        if not card.obtainable:
            continue
        said = card_reasons(card, workload, needs)
        if any(reason.blocks for reason in said):
            continue
        asked = of_engine.alike(card)
        alike, (_least, _counted, more_bytes) = of_engine.beside(asked, workload)
        allowed_bytes = of_engine.allowance.of(card.device_bytes)
        current = card.release_year is None or card.release_year >= newest - CURRENT_YEARS
        offered_bytes = of_engine.offered_bytes(card, workload)
        found.setdefault(card.card_class, []).extend(
            Candidate(
                card=card,
                count=count,
                asked=asked,
                lies=(alike, count * card.devices),
                more_bytes=more_bytes + allowed_bytes,
                allowed_bytes=allowed_bytes,
                offered_bytes=offered_bytes,
                usable_bytes=card.usable_bytes * count,
                price_usd=(card.launch_price_usd or 0) * count,
                current=current,
                rank=_rank(card, count, said, current),
                said=said,
            )
            for count in counts
            if count <= card.max_cards
        )
    return {name: tuple(sorted(sets, key=lambda each: each.rank)) for name, sets in found.items()}


def _rank(
    card: Card, count: int, said: Sequence[Reason], current: bool
) -> tuple[int, int, bool, bool, int, int, int, str]:
    return (
        count,
        _support_distance(card, said),
        not current,
        bool(card.sold_in) and card.card_class != "china",
        card.memory_gb,
        -((card.bandwidth_bytes_per_s or 0) // BANDWIDTH_STEP),
        -(card.fp16_flops or 0),
        card.slug,
    )


def _support_distance(card: Card, said: Sequence[Reason]) -> int:
    """How far the engine is from supporting the card itself. Plug-ins are the rule for Chinese cards, no handicap."""
    keys = {reason.key for reason in said}
    if "engine_support_unknown" in keys:
        return 2
    return 1 if "engine_by_plugin" in keys and card.card_class != "china" else 0
