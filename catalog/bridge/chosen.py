"""Which models answer the filters of a list: told from columns that are read once after each change.

A database that is asked anew for each choice hands over 20,000 keys each time, and seeks rows where it takes another
index than that of the lists' order.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import nan
from threading import Lock
from typing import NamedTuple

from django.db.models import F, FilteredRelation, Q, QuerySet, TextField
from django.db.models.functions import Cast

from catalog.models import LanguageModel, Licence, Organization
from catalog.models.need import STOPS
from catalog.models.row_times import needs, published_models

ALLOWED_PERCENT = 106
"""The stored figure is our middle one, on a card that is not named: a set may hold a model although it is that much
more than can be used of the set (4.6 % on an RTX 3060 of 12 GB)."""

TEXTS = ("licence__commercial_use", "organization__slug", "architecture")
NUMBERS = ("total_parameters", "memory_8k_bytes", "context_tokens", "num_experts")
NEEDS = ("context_tokens", "weights_bytes", *STOPS.values())
"""Of what a model holds under the engine by which lists show it."""


class Narrowing(NamedTuple):
    """What is asked of models; None, or an empty text: nothing. What is not known of a model answers nothing.

    `memory_bytes` bounds what a model needs as its own page shows it at first. `card_bytes` are what can be used of a
    set of cards: all models that run there answer, at that context where one is given, and few others.
    """

    least_parameters: int | None = None
    most_parameters: int | None = None
    licence: str = ""
    memory_bytes: int | None = None
    context_tokens: int | None = None
    card_bytes: int | None = None
    organization: str = ""
    architecture: str = ""
    modality: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class _Columns:
    """Published models, the newest first. A number that is not known is NaN, which is neither more nor less."""

    keys: Sequence[int]
    modalities: Sequence[Collection[str]]
    texts: dict[str, Sequence[str | None]]
    numbers: dict[str, Sequence[float]]
    needs: dict[str, Sequence[float]]


@lru_cache(maxsize=32)
def keys_of(asked: Narrowing, version: str) -> Sequence[int]:
    """Primary keys of the published models that answer, the newest first: what pages and counts are cut from."""
    known = _columns(version)
    places: Sequence[int] = range(len(known.keys))
    for name, least in (("total_parameters", asked.least_parameters), ("context_tokens", asked.context_tokens)):
        places = _at_least(places, known.numbers[name], least)
    for name, most in (("total_parameters", asked.most_parameters), ("memory_8k_bytes", asked.memory_bytes)):
        places = _at_most(places, known.numbers[name], most)
    if asked.card_bytes is not None:
        places = _that_may_fit(places, known, asked.card_bytes, asked.context_tokens)
    if asked.architecture == "moe":  # hybrid models with experts too
        places = _at_least(places, known.numbers["num_experts"], 0)
        asked = asked._replace(architecture="")
    for name, text in zip(TEXTS, (asked.licence, asked.organization, asked.architecture), strict=True):
        if text:
            column = known.texts[name]
            places = [place for place in places if column[place] == text]
    if asked.modality:
        places = [place for place in places if asked.modality in known.modalities[place]]
    return array("q", [known.keys[place] for place in places])


def _at_least(places: Sequence[int], column: Sequence[float], least: float | None) -> Sequence[int]:
    return places if least is None else [place for place in places if column[place] >= least]


def _at_most(places: Sequence[int], column: Sequence[float], most: float | None) -> Sequence[int]:
    return places if most is None else [place for place in places if column[place] <= most]


def _that_may_fit(
    places: Sequence[int], known: _Columns, memory_bytes: int, context_tokens: int | None
) -> Sequence[int]:
    """In their default engine and format. One that is not made for the context does not; one whose longest context
    nobody states may (`catalog.models.need.may_fit`)."""
    places = _at_most(places, known.numbers["memory_8k_bytes"], memory_bytes * ALLOWED_PERCENT // 100)
    if not context_tokens:
        return places
    stop = max((tokens for tokens in STOPS if tokens <= context_tokens), default=None)
    longest = known.needs["context_tokens"]
    places = _at_most(places, known.needs[STOPS[stop] if stop else "weights_bytes"], memory_bytes)
    return [place for place in places if not longest[place] < context_tokens]


_newest: list[tuple[object, _Columns]] = []  # one, once it was read, with what it follows from
_reading = Lock()


@lru_cache(maxsize=2)
def _columns(version: str) -> _Columns:
    """Read again where a model, what it holds, or what licences and organisations are called has changed."""
    uses, slugs = (
        Licence.objects.order_by("pk").values_list("pk", "commercial_use"),
        Organization.objects.order_by("pk").values_list("pk", "slug"),
    )
    said = published_models(version), needs(version), list(uses), list(slugs)
    with _reading:
        if not _newest or _newest[0][0] != said:
            _newest[:] = [(said, _read())]
        return _newest[0][1]


def _read() -> _Columns:
    own = FilteredRelation("needs", condition=Q(needs__engine=F("memory_engine")))
    # Past the models' manager, which would look at every row for what is translated; few lists of modalities differ.
    rows = (
        QuerySet(LanguageModel).filter(is_published=True).annotate(need=own, said=Cast("input_modalities", TextField()))
    )
    rows = rows.order_by(F("release_date").desc(nulls_last=True), "slug")
    needs = [f"need__{name}" for name in NEEDS]
    columns = list(zip(*rows.values_list("pk", "said", *TEXTS, *NUMBERS, *needs), strict=True))
    keys, said, *rest = columns or [()] * (2 + len(TEXTS) + len(NUMBERS) + len(NEEDS))
    texts, numbers = rest[: len(TEXTS)], [_numbers(column) for column in rest[len(TEXTS) :]]
    modalities = {text: tuple(json.loads(text)) for text in set(said)}
    return _Columns(
        array("q", keys),
        [modalities[text] for text in said],
        dict(zip(TEXTS, map(_shared, texts), strict=True)),
        dict(zip(NUMBERS, numbers, strict=False)),
        dict(zip(NEEDS, numbers[len(NUMBERS) :], strict=True)),
    )


def _numbers(column: Sequence[int | None]) -> Sequence[float]:
    """Whole numbers up to 2**53 are told apart."""
    return array("d", [nan if number is None else number for number in column])


def _shared(column: Sequence[str | None]) -> Sequence[str | None]:
    """Equal texts once: a database hands over one for each row."""
    known: dict[str | None, str | None] = {}
    return [known.setdefault(text, text) for text in column]
