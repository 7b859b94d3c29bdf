"""The few sets of cards beside the memory figure, in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from calculator import labels
from calculator.architecture import Shape
from calculator.fit_words import room_text
from calculator.hardware import Card, Cards, Sized, engine_named, recommend
from calculator.hardware.cards import GIB
from calculator.memory import Workload

GRAPHICS = ("consumer", "workstation", "datacenter")


@dataclass(frozen=True, slots=True)
class CardSet:
    """One line of the list: `badge` is the class of the badge, told by word, shape and colour."""

    slug: str
    name: str
    count: int
    badge: str
    state: str | Promise
    detail: str
    room: str
    fit: Sized


@dataclass(frozen=True, slots=True)
class Shelf:
    """The sets of one class of cards: those that fit, then the nearest that does not."""

    label: str | Promise
    sets: Sequence[CardSet]


def recommended(shape: Shape, workload: Workload, cards: Iterable[Card]) -> list[CardSet]:
    """The best set of each class that fits, then the nearest one that does not, so the edge is seen.

    Each is split in the engine's own way, whatever split the reader asked for on cards of his own.
    """
    rounded = engine_named(workload.engine).rounded(workload.unsplit())
    return list(_recommended(shape, rounded, Cards.of(cards), get_language()))


@lru_cache(maxsize=256)
def _recommended(shape: Shape, workload: Workload, cards: Cards, _language: str | None) -> tuple[CardSet, ...]:
    found = recommend(shape, workload, cards, per_class=1)
    sets = [_card_set(pick) for entry in found for pick in entry.picks]
    misses = [entry.nearest_miss for entry in found if entry.nearest_miss]
    if misses and sets:
        sets.append(_card_set(max(misses, key=lambda miss: miss.spare_bytes / miss.card.usable_bytes)))
    return tuple(sets)


def smallest(sets: Iterable[CardSet]) -> CardSet | None:
    """Of the sets that fit: the fewest cards, then what most readers mean by a GPU, then the least memory."""
    fitting = [each for each in sets if each.fit.state == "fits"]
    return min(fitting, key=lambda each: (each.count, *_unusual(each.fit.card), each.fit.usable_bytes), default=None)


def _unusual(card: Card) -> tuple[bool, bool]:
    return card.card_class not in GRAPHICS, card.unified_memory


def shelves(shape: Shape, workload: Workload, cards: Iterable[Card]) -> list[Shelf]:
    """All that is recommended, class by class; a class in which nothing fits shows its nearest miss alone.

    Split as in `recommended`.
    """
    found = []
    for entry in recommend(shape, workload.unsplit(), cards):
        fits = [*entry.picks, *([entry.nearest_miss] if entry.nearest_miss else [])]
        if fits:
            found.append(Shelf(labels.CLASSES[entry.card_class], [_card_set(fit, shelved=True) for fit in fits]))
    return found


def certainty_text(engine: str) -> str:
    """When a set counts as fitting, in words."""
    allowance = engine_named(engine).allowance
    if not allowance.percent:
        return _("All fit even with the highest overhead measured, on cards that hold nothing else")
    if allowance.floor_bytes:
        return _("%(percent)s%% of each card, at least %(least)s GiB, stays free for what was not measured") % {
            "percent": allowance.percent,
            "least": allowance.floor_bytes // GIB,
        }
    return _("%(percent)s%% of each card stays free for what was not measured") % {"percent": allowance.percent}


def _card_set(fit: Sized, *, shelved: bool = False) -> CardSet:
    """On a shelf the class is the heading, so only a mixed list says it of each set."""
    badge, state = labels.STATES[fit.state]
    room = room_text(fit)
    words = {"class": labels.CLASSES[fit.card.card_class], "room": room}
    detail = room if shelved else _("%(class)s, %(room)s") % words
    return CardSet(fit.card.slug, fit.card.name, fit.count, badge, state, detail, room, fit)
