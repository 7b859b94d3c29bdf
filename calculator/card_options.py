"""A long list of cards to choose from, written once for each catalogue and language."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import groupby

from django.utils.translation import get_language
from markupsafe import Markup, escape

from calculator import labels
from calculator.hardware import Card
from calculator.hardware.terms import CLASSES


class _Offered:
    """Cards that are the same where the tuple is: a catalogue hands out one until it changes."""

    __slots__ = ("cards",)

    def __init__(self, cards: tuple[Card, ...]) -> None:
        self.cards = cards

    def __hash__(self) -> int:
        return id(self.cards)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Offered) and self.cards is other.cards


def card_options(offered: tuple[Card, ...], chosen: str) -> Markup:
    """Options by vendor, `chosen` marked, if it is one of them."""
    before, option, after = _written(_Offered(offered), get_language() or "").partition(_option(chosen))
    return before + option.replace(">", Markup(" selected>")) + after


@lru_cache(maxsize=8)
def _written(offered: _Offered, language: str) -> Markup:
    return Markup("\n").join(_lines(offered.cards))


def _lines(cards: Iterable[Card]) -> Iterator[Markup]:
    for shelf, held in _shelves(cards):
        yield Markup('<optgroup label="{}">').format(shelf)
        yield from (_option(card.slug) + escape(card.name) + Markup("</option>") for card in held)
        yield Markup("</optgroup>")


def _option(slug: str) -> Markup:
    return Markup('<option value="{}">').format(slug)


def _shelves(cards: Iterable[Card]) -> Iterator[tuple[str, Iterable[Card]]]:
    """By vendor; of each those that readers have at home first."""
    known = list(labels.VENDORS)
    ranked = sorted(
        cards,
        key=lambda card: (
            known.index(card.vendor) if card.vendor in known else len(known),
            CLASSES.index(card.card_class),
            _by_numbers(card.name),
        ),
    )
    for vendor, held in groupby(ranked, lambda card: card.vendor):
        yield str(labels.VENDORS.get(vendor, vendor)), held


def _by_numbers(name: str) -> list[tuple[int, str]]:
    """Orders names as people do, by the numbers in them: 910 before 1080."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)]
