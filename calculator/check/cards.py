"""The cards of a run: those of the catalogue that the log names, or as large as it prints."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from calculator.hardware import Card
from calculator.logs import PrintedCard, Reading

GIB = 2**30
IN_USE = GIB // 2
"""A card with less on it is idle in a table that lists all."""

LIKE = 0.15
"""A name fits a card whose memory differs by less than this share: "RTX 3080" is sold with 10 and 12 GB."""

TELLING = frozenset(
    {"ti", "super", "laptop", "mobile", "max", "maxq", "ultra", "pro", "xt", "xtx", "gre", "d", "ada", "nvl", "gh200"}
)
"""Words that tell one card from another of the same number."""

FORM = re.compile(r"\d+gb$|sxm\d?$|oam$")
"""Words with digits that are not the card's number."""

SLOTS = frozenset({"pcie"})
"""What a driver names where it is so: "NVIDIA H100 80GB HBM3" is the SXM module."""

MAKERS = {
    "nvidia": "nvidia",
    "geforce": "nvidia",
    "rtx": "nvidia",
    "amd": "amd",
    "radeon": "amd",
    "intel": "intel",
    "apple": "apple",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """`count` of one card. `taken_bytes` of each were not free when the run began; `from_log` says the catalogue has
    none of that name, so that only its size is known.
    """

    card: Card
    count: int
    taken_bytes: int = 0
    from_log: bool = False


def hardware_of(reading: Reading, offered: Iterable[Card], chosen: Card | None, count: int | None) -> Hardware | None:
    """The cards that ran it, the reader's own choice first; None where neither says anything."""
    used = _used(reading.cards)
    number = count or _count(reading, used)
    first = max(used, key=lambda card: card.total_bytes or 0, default=None)
    if chosen is not None:
        return Hardware(card=chosen, count=number, taken_bytes=_taken(chosen, first))
    if first is None:
        return None
    card = named(first, list(offered))
    if card is not None:
        return Hardware(card=card, count=number, taken_bytes=_taken(card, first))
    if not first.total_bytes and not first.free_bytes:
        return None
    printed = _as_printed(first)
    return Hardware(card=printed, count=number, taken_bytes=_taken(printed, first), from_log=True)


def named(printed: PrintedCard, offered: Sequence[Card]) -> Card | None:
    """The card of the catalogue that a driver's name means; memory decides between several."""
    words = _words(printed.name)
    found = []
    for card in offered:
        own = _words(card.name)
        numbers = {word for word in own if re.search(r"\d", word) and not FORM.match(word)}
        if not numbers or not numbers <= words or (own ^ words) & TELLING:
            continue
        apart = abs(card.usable_bytes - printed.total_bytes) / card.usable_bytes if printed.total_bytes else 0.0
        if apart <= LIKE:
            found.append((len((own ^ words) & SLOTS), round(apart, 2), -len(own & words), card.slug, card))
    return min(found, key=lambda each: each[:4])[4] if found else None


def _words(name: str) -> set[str]:
    return set(re.findall(r"[a-z0-9]+", name.casefold().replace("max-q", "maxq").replace("(tm)", "")))


def _used(cards: tuple[PrintedCard, ...]) -> list[PrintedCard]:
    busy = [card for card in cards if card.used_bytes is None or card.used_bytes >= IN_USE]
    return busy or list(cards)


def _count(reading: Reading, used: Sequence[PrintedCard]) -> int:
    ranks = [int(reading.settings.get(name, 1)) for name in ("tensor_parallel", "pipeline_parallel")]
    split = max(ranks[0] * ranks[1], 1)
    return split if split > 1 else max(len(used), 1)


def _taken(card: Card, printed: PrintedCard | None) -> int:
    if printed is None or printed.free_bytes is None:
        return 0
    return max(card.device_bytes - printed.free_bytes, 0)


def _as_printed(printed: PrintedCard) -> Card:
    """A card that the catalogue does not have: its size is known, its speed is not."""
    total = printed.total_bytes or printed.free_bytes or 0
    vendor = next((MAKERS[word] for word in _words(printed.name) if word in MAKERS), "nvidia")
    return Card(
        slug="",
        name=printed.name or f"{total / GIB:.1f} GiB",
        vendor=vendor,
        segment="apple-silicon" if vendor == "apple" else "consumer",
        memory_gb=max(round(total / GIB), 1),
        usable_bytes=max(total, 1),
    )
