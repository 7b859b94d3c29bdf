"""How models fit the cards of the catalogue, as rows of lists say it.

The first list with a card would else read fifty configs and follow fifty graphs in each worker. The few numbers that a
row shows lie in files that all processes read: of one card `manage.py warm_up` leaves them, and of several where the
engine has to be asked for an estimate; the rest whoever asks first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

from django.core.cache import caches
from django.utils.translation import gettext as _

from calculator import labels
from calculator.architecture import Shape
from calculator.fit_words import card_label, room_text
from calculator.hardware import COUNTS, Card, Fit, Numbers, Sized, engine_named, fit_all
from calculator.memory import WorkloadError, default_workload
from catalog import versions
from catalog.bridge.cards import all_cards

Told = tuple[str, int | None, int | None, int]
"""State, bytes that the fullest card needs, those that it has to spare, and tokens of context. None: not known."""


class ListedFit(NamedTuple):
    badge: str
    state: str
    label: str
    room: str
    context_tokens: int
    runs: bool


def told(answer: Fit | Numbers) -> Told:
    return answer.state, answer.per_card_bytes, answer.spare_bytes, answer.workload.context_tokens


def listed(numbers: Told, card: Card, count: int) -> ListedFit:
    """In the reader's language, as `fit_view` says it."""
    state, needed, spare, tokens = numbers
    badge, word = labels.STATES[state]
    room = ""
    if state == "does_not_fit" and spare is not None and spare >= 0:  # a spare figure there would contradict its badge
        room = _("memory suffices, but it does not run: its page says why")
    elif needed is not None and spare is not None:
        room = room_text(Sized(card=card, count=count, state=state, per_card_bytes=needed, spare_bytes=spare))
    return ListedFit(badge, str(word), card_label(card, count), room, tokens, state != "does_not_fit")


MOST_CARDS = 8  # of a kind, in one machine


class Collected:
    """What is told of each model by default on every card, to be kept for all processes. Of several cards it takes a
    third of a second for a model, so it is asked of those alone that no engine tells sooner (`numbers`)."""

    def __init__(self) -> None:
        self.found: dict[str, dict[int, dict[int, Told]]] = defaultdict(lambda: defaultdict(dict))

    def add(self, key: int, shape: Shape, longest: int | None) -> None:
        """A model by its primary key; of one that no engine runs nothing is told."""
        with suppress(WorkloadError):
            workload = default_workload(shape, longest)
            counts = (1,) if engine_named(workload.engine).by_format else range(1, MOST_CARDS + 1)
            for answer in fit_all(shape, workload, all_cards(), counts=counts):
                self.found[answer.card.slug][answer.count][key] = told(answer)

    def keep(self, version: str) -> None:
        for slug, counts in self.found.items():
            caches["written"].set(_key(slug, version), dict(counts), versions.SECONDS)


def kept(card: Card, count: int, version: str) -> Mapping[int, Told]:
    """By primary key; nothing where nobody kept it, nor of cards of several kinds."""
    if card.beside:
        return {}
    with suppress(OSError):
        counts: Mapping[int, Mapping[int, Told]] = caches["written"].get(_key(card.slug, version)) or {}
        return counts.get(count, {})
    return {}


def add(card: Card, count: int, version: str, found: Mapping[int, Told]) -> None:
    """To what is kept of the usual numbers of a card. Of two processes one may lose what it adds; it is asked again."""
    if card.beside or count not in COUNTS or not found:
        return
    with suppress(OSError):
        key = _key(card.slug, version)
        counts: dict[int, dict[int, Told]] = caches["written"].get(key) or {}
        counts[count] = {**counts.get(count, {}), **found}
        caches["written"].set(key, counts, versions.SECONDS)


def _key(slug: str, version: str) -> str:
    return versions.key("listed-fits", version, slug)
