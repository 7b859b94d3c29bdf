"""Which models answer the filters of a list: told from columns that are read once, and again where a model changed.

A database that is asked anew for each choice hands over 20,000 keys each time, and seeks rows where it takes another
index than that of the lists' order.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from math import nan
from threading import Lock
from typing import Any, NamedTuple

from django.db.models import Count, F, FilteredRelation, OuterRef, Q, QuerySet, Subquery, TextField
from django.db.models.functions import Cast, Coalesce

from catalog.models import LanguageModel, Licence, Need, Organization
from catalog.models.need import STOPS
from catalog.models.row_times import changed_since, needs, published_models
from catalog.search.among import Among

ALLOWED_PERCENT = 106
"""The stored figure is our middle one, on a card that is not named: a set may hold a model although it is that much
more than can be used of the set (4.6 % on an RTX 3060 of 12 GB)."""

TEXTS = ("licence__commercial_use", "organization__slug", "architecture")
NUMBERS = ("total_parameters", "memory_8k_bytes", "context_tokens", "num_experts")
NEEDS = tuple(f"need__{name}" for name in ("context_tokens", "weights_bytes", *STOPS.values()))
"""Of what a model holds under the engine by which lists show it."""
PLACE = ("release_date", "slug")
"""What a model's place among the others follows from."""
IN_ORDER = (F("release_date").desc(nulls_last=True), "slug")
COLUMNS = ("pk", "held", "modalities", *PLACE, *TEXTS, *NUMBERS, *NEEDS)
"""`held`: under how many engines it is known what the model holds."""
BEYOND = 2**63
"""No column holds as much."""
FEW = 1 / 16
"""Of all models: to read so many by their keys takes as long as to read all from the index of their order."""


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


_Columns = dict[str, Any]
"""Published models, the newest first, as `COLUMNS`. A number that is not known is NaN, which is neither more nor
less."""


class _Said(NamedTuple):
    """All that columns follow from: when each model was written, the newest need and how many there are, and what
    licences and organisations are called."""

    models: Mapping[int, str]
    needs: tuple[int | None, int]
    licences: list[tuple[int, str]]
    organizations: list[tuple[int, str]]


@lru_cache(maxsize=32)
def keys_of(asked: Narrowing, version: str) -> Sequence[int]:
    """Primary keys of the published models that answer, the newest first: what pages and counts are cut from."""
    known = _columns(version)
    places: Sequence[int] = range(len(known["pk"]))
    for name, least in (("total_parameters", asked.least_parameters), ("context_tokens", asked.context_tokens)):
        places = _at_least(places, known[name], least)
    for name, most in (("total_parameters", asked.most_parameters), ("memory_8k_bytes", asked.memory_bytes)):
        places = _at_most(places, known[name], most)
    if asked.card_bytes is not None:
        places = _that_may_fit(places, known, asked.card_bytes, asked.context_tokens)
    if asked.architecture == "moe":  # hybrid models with experts too
        places = _at_least(places, known["num_experts"], 0)
        asked = asked._replace(architecture="")
    for name, text in zip(TEXTS, (asked.licence, asked.organization, asked.architecture), strict=True):
        if text:
            column = known[name]
            places = [place for place in places if column[place] == text]
    if asked.modality:
        modalities = known["modalities"]
        places = [place for place in places if asked.modality in modalities[place]]
    keys = known["pk"]
    return array("q", [keys[place] for place in places])


def on_boards(version: str) -> tuple[object, ...]:
    """Which models are published, their slugs and their memory, by which boards are read and in order: the same objects
    for as long as they say the same."""
    known = _columns(version)
    return known["pk"], known["slug"], known["memory_8k_bytes"]


def _at_least(places: Sequence[int], column: Sequence[float], least: float | None) -> Sequence[int]:
    if least is None:
        return places
    bound = _bound(least)
    return [place for place in places if column[place] >= bound]


def _at_most(places: Sequence[int], column: Sequence[float], most: float | None) -> Sequence[int]:
    if most is None:
        return places
    bound = _bound(most)
    return [place for place in places if column[place] <= bound]


def _bound(asked: float) -> float:
    """A column is compared with it in half the time that it is with a whole number, of which any may be asked."""
    return float(max(-BEYOND, min(asked, BEYOND)))


def _that_may_fit(
    places: Sequence[int], known: _Columns, memory_bytes: int, context_tokens: int | None
) -> Sequence[int]:
    """In their default engine and format. One that is not made for the context does not; one whose longest context
    nobody states may (`catalog.models.need.may_fit`)."""
    places = _at_most(places, known["memory_8k_bytes"], memory_bytes * ALLOWED_PERCENT // 100)
    if not context_tokens:
        return places
    stop = max((tokens for tokens in STOPS if tokens <= context_tokens), default=None)
    longest = known["need__context_tokens"]
    places = _at_most(places, known[f"need__{STOPS[stop] if stop else 'weights_bytes'}"], memory_bytes)
    return [place for place in places if not longest[place] < context_tokens]


_newest: list[tuple[_Said, _Columns]] = []  # one, once it was read, with what it follows from
_reading = Lock()


@lru_cache(maxsize=2)
def _columns(version: str) -> _Columns:
    """Read again where a model, what it holds, or what licences and organisations are called has changed."""
    licences = Licence.objects.order_by("pk").values_list("pk", "commercial_use")
    organizations = Organization.objects.order_by("pk").values_list("pk", "slug")
    said = _Said(published_models(version), needs(version), list(licences), list(organizations))
    with _reading:
        if not _newest or _newest[0][0] != said:
            _newest[:] = [(said, (_renewed(said, *_newest[0]) if _newest else None) or _read())]
        return _newest[0][1]


def _renewed(said: _Said, was: _Said, known: _Columns) -> _Columns | None:
    """With those models read anew that changed since; None where all have to be."""
    newest, held = said.needs
    if said[2:] != was[2:] or (newest or 0) < (was.needs[0] or 0):  # another database's, which was put in its place
        return None
    written = changed_since(was.models, said.models)
    changed, gone = written & said.models.keys(), written - said.models.keys()
    came: dict[int, int] = {}  # of each model
    if said.needs != was.needs:  # what differs is a new row
        rows = Need.objects.filter(pk__gt=was.needs[0] or 0).order_by().values("model").annotate(number=Count("pk"))
        came = dict(rows.values_list("model", "number"))
        changed |= said.models.keys() & came.keys()
    if len(changed) + len(gone) > FEW * len(said.models):
        return None
    fresh = _read(changed)
    gone |= changed - set(fresh["pk"])  # meanwhile
    place = {pk: number for number, pk in enumerate(known["pk"])}
    if said.needs != was.needs:
        before = sum(known["held"][place[pk]] for pk in changed | gone if pk in place)
        of_drafts = sum(number for pk, number in came.items() if pk not in said.models)
        if was.needs[1] + of_drafts - before + sum(fresh["held"]) != held:
            return None  # needs of other models went
    stood = [place.get(pk) for pk in fresh["pk"]]
    stay = {name: _stays(known[name], fresh[name], stood) for name in COLUMNS}
    if not gone and all(stay[name] for name in ("pk", *PLACE)):
        there = [place[pk] for pk in fresh["pk"]]
        return {name: known[name] if stay[name] else _put(known[name], fresh[name], there) for name in COLUMNS}
    order: Iterable[int] = known["pk"]
    if not all(stay[name] for name in ("pk", *PLACE)):
        order = _models().order_by(*IN_ORDER).values_list("pk", flat=True)
    place |= {pk: len(place) + number for number, pk in enumerate(fresh["pk"])}
    places = [place.get(pk) for pk in order if pk not in gone]
    if None in places:
        return None  # published meanwhile
    return {name: _chosen(known[name] + fresh[name], places) for name in COLUMNS}


def _stays(column: Any, fresh: Any, places: Sequence[int | None]) -> bool:
    """Whether the models at these places say the same as before."""
    if None in places:
        return False
    was = _chosen(column, places)
    return bool(was.tobytes() == fresh.tobytes() if isinstance(was, array) else was == fresh)  # NaN is no NaN


def _put(column: Any, fresh: Any, places: Iterable[int]) -> Any:
    found = column[:]
    for place, value in zip(places, fresh, strict=True):
        found[place] = value
    return found


def _chosen(column: Any, places: Iterable[int | None]) -> Any:
    found = column[:0]
    found.extend(map(column.__getitem__, places))
    return found


def _models() -> QuerySet[LanguageModel]:
    """Past the models' manager, which would look at every row for what is translated."""
    return QuerySet(LanguageModel).filter(is_published=True)


def _read(keys: Collection[int] | None = None) -> _Columns:
    """Of these models, or of all in their order."""
    own = FilteredRelation("needs", condition=Q(needs__engine=F("memory_engine")))
    theirs = Need.objects.filter(model=OuterRef("pk")).order_by().values("model")
    held = Coalesce(Subquery(theirs.annotate(held=Count("pk")).values("held")), 0)
    rows = _models().annotate(need=own, modalities=Cast("input_modalities", TextField()), held=held)
    rows = rows.order_by(*IN_ORDER) if keys is None else rows.filter(Among(keys)).order_by()
    columns = list(zip(*rows.values_list(*COLUMNS), strict=True)) or [()] * len(COLUMNS)
    return {name: _column(name, values) for name, values in zip(COLUMNS, columns, strict=True)}


def _column(name: str, values: Sequence[Any]) -> Any:
    if name in ("pk", "held"):
        return array("q", values)
    if name in (*NUMBERS, *NEEDS):  # whole numbers up to 2**53 are told apart
        return array("d", [nan if number is None else number for number in values])
    if name == "modalities":  # of which few lists differ
        known = {text: tuple(json.loads(text)) for text in set(values)}
        return [known[text] for text in values]
    shared: dict[Any, Any] = {}  # a database hands over a text for each row
    return [shared.setdefault(value, value) for value in values]
