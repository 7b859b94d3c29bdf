"""The answer at every stop of the slider, sent along with the page, so that a drag shows it without asking the server.

The same functions as the page's own answer; `static/js/instant.js` writes them with the same words.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from calculator import labels
from calculator.architecture import Shape
from calculator.architecture.known import known_if_learned
from calculator.fit_words import ROOM, Need, needs_at
from calculator.hardware import Card, Fit, Sized
from calculator.memory import Estimate, Workload

ALWAYS_SHOWN = frozenset({"weights", "kv_cache", "compute", "overhead"})
STATES = tuple(labels.STATES)
ESCAPES = {ord(">"): "\\u003E", ord("<"): "\\u003C", ord("&"): "\\u0026"}

Stop = tuple[int, Sequence[int], int, Sequence[int] | None, Sequence[int] | None]
"""Tokens, bytes of each part, bytes in RAM, and the fit on the reader's cards and on the set that is recommended."""


def shown_parts(answer: Estimate) -> dict[str, int]:
    """Bytes of the parts that a page shows: all that are there, and those that a reader looks for."""
    return {part.key: part.bytes for part in answer.parts if part.bytes or part.key in ALWAYS_SHOWN}


def host_bytes(answer: Estimate) -> int:
    return sum(part.bytes for part in answer.host)


def fit_figures(answer: Fit | None) -> tuple[int, int, int] | None:
    """The state, the bytes that the fullest card needs, and those that a program can take there; None where memory is
    not what decides."""
    if answer is None or answer.refused or answer.per_card_bytes is None or answer.spare_bytes is None:
        return None
    return STATES.index(answer.state), answer.per_card_bytes, answer.per_card_bytes + answer.spare_bytes


def stops_text(
    shape: Shape,
    workload: Workload,
    stops: tuple[int, ...],
    mine: tuple[Card | None, int],
    best: Sized | None,
    shown: tuple[str, ...],
) -> SafeString:
    """JSON of `answers_at`, of the parts that the page shows, and of the words that go around the numbers."""
    first = workload.but(context_tokens=stops[0])  # at whichever stop the reader is
    return _stops_text(shape, first, stops, mine, best and (best.card, best.count), shown, get_language())


@lru_cache(maxsize=128)
def _stops_text(
    shape: Shape,
    first: Workload,
    stops: tuple[int, ...],
    mine: tuple[Card | None, int],
    best: tuple[Card, int] | None,
    shown: tuple[str, ...],
    _language: str | None,
) -> SafeString:
    found = {
        "parts": shown,
        "stops": answers_at(shape, first, stops, mine, best, shown),
        "words": words() | {"format": first.weight_format},
    }
    text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    return mark_safe(text.translate(ESCAPES))  # noqa: S308 - inert in HTML, as of Django's `json_script`


def answers_at(
    shape: Shape,
    workload: Workload,
    stops: tuple[int, ...],
    mine: tuple[Card | None, int],
    best: tuple[Card, int] | None,
    shown: Sequence[str],
) -> list[Stop]:
    """What the page says at each of `stops`; one that shows other parts, or cannot be, is left to the server."""
    on_mine = _told_at(shape, workload, stops, *mine)
    on_best = _told_at(shape, workload.unsplit(), stops, *best) if best else on_mine
    found: list[Stop] = []
    for tokens, told, beside in zip(stops, on_mine, on_best, strict=True):
        if told is None or beside is None:
            continue
        if told.parts == tuple(shown):
            found.append((tokens, told.bytes, told.host_bytes, told.figures, beside.figures if best else None))
    return found


class _Told(NamedTuple):
    """Of an estimate the parts that a page shows, their bytes and those in RAM, and `fit_figures` on cards."""

    parts: tuple[str, ...]
    bytes: tuple[int, ...]
    host_bytes: int
    figures: tuple[int, int, int] | None


def _told_at(
    shape: Shape, workload: Workload, stops: tuple[int, ...], card: Card | None, count: int
) -> tuple[_Told | None, ...]:
    """None where it cannot be. Numbers alone, which lie with a shape whose page was worked out beforehand."""
    question = "told_at", workload.but(context_tokens=stops[0]).said, stops, card and _named(card), count

    def follow() -> tuple[_Told | None, ...]:
        return tuple(need and _told(need) for need in needs_at(shape, workload, stops, card, count))

    return known_if_learned(shape, question, follow)


def _told(need: Need) -> _Told:
    parts = shown_parts(need.estimate)
    return _Told(tuple(parts), tuple(parts.values()), host_bytes(need.estimate), fit_figures(need.fit))


@lru_cache(maxsize=512)
def _named(card: Card) -> str:
    """Says all that a card is, in another process and after an edit, too."""
    return blake2b(repr(card).encode(errors="surrogatepass"), digest_size=16).hexdigest()


def words() -> dict[str, object]:
    """What stands around the numbers, with the names of the numbers in it."""
    return {
        "also": also_text(),
        "ram": ram_text(),
        "said": said_text(),
        "room": [str(ROOM[key]) for key in ("spare", "short", "spare_fullest", "short_fullest")],
        "states": [[badge, str(word)] for badge, word in labels.STATES.values()],
        "bar": _("; "),
    }


def also_text() -> str:
    return _("at %(format)s and %(tokens)s tokens (%(gb)s GB)")


def ram_text() -> str:
    return _("plus %(amount)s GiB of RAM")


def said_text() -> str:
    return _("%(amount)s GiB needed at %(tokens)s tokens")
