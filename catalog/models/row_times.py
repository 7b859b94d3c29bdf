"""When rows were written: so that of many thousand rows those alone are read again that changed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Set
from functools import lru_cache
from typing import Any, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Aggregate, Count, Max, QuerySet, Sum, TextField
from django.db.models.sql.compiler import SQLCompiler

from catalog.models.language_model import LanguageModel
from catalog.models.need import Need
from catalog.models.release import Place

ENTRY = re.compile(r'"(\d+)"(\s*:\s*)"([^"]*)"(,\s*)?')  # as databases write them
MOST_SOUGHT = 20  # entries: to look for each in the text of 20,000 takes a tenth of what it takes to read all

Times = Mapping[int, str]


class _Told(NamedTuple):
    """What was read, and which keys it has other times of than what was read `before`."""

    text: str
    models: Times
    before: Times
    changed: Set[int]


_newest: list[_Told] = []  # one, shared by all that was read while it was so


class _Pairs(Aggregate):
    """Two columns of all rows as one text of JSON, of which a database makes one row in place of thousands."""

    function = "json_group_object"
    arity = 2
    output_field = TextField()

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any) -> Any:
        template = "CAST(%(function)s(%(expressions)s) AS text)"
        return self.as_sql(compiler, connection, function="json_object_agg", template=template, **extra)


@lru_cache(maxsize=2)
def published_models(version: str) -> Times:
    """Primary key of each published model -> when its row was last written, from an index alone (`models_changed`).

    Where both are as before, so is the row: whatever writes one says when (`catalog.models.querysets`). Times are only
    to be compared, so they stay the texts that the database makes of them; where all are one text as before, it is not
    even read, and where few were written since, these alone.
    """
    rows: QuerySet[LanguageModel] = (
        QuerySet(LanguageModel).filter(is_published=True).order_by()
    )  # past the manager, which looks at each row
    told = rows.aggregate(written=_Pairs("pk", "updated_at"))["written"] or "{}"
    newest = _renewed(_newest[0] if _newest else _Told("{}", {}, {}, set()), told)
    _newest[:] = [newest]
    return newest.models  # not what another thread has put there meanwhile, which may be older


def _renewed(known: _Told, text: str) -> _Told:
    """The same object for the same times, in whatever order a database names them."""
    if text == known.text:
        return known
    last = _last(known, text)
    if last is not None:
        return _Told(text, {**known.models, **last}, known.models, last.keys())
    found = {int(pk): when for pk, when in json.loads(text).items()}
    changed = _differing(known.models, found)
    return _Told(text, found, known.models, changed) if changed else known._replace(text=text)


def changed_since(before: Times, now: Times) -> Set[int]:
    """Keys of models that were written, came or went between two answers of `published_models`."""
    newest = _newest[0] if _newest else None
    if newest and newest.models is now and newest.before is before:
        return newest.changed
    return _differing(before, now)


def _differing(before: Times, now: Times) -> Set[int]:
    return {pk for pk, when in now.items() if before.get(pk) != when} | (before.keys() - now.keys())


def _last(known: _Told, text: str) -> dict[int, str] | None:
    """What was written since, where the text is that of before but for few entries, which stand at its end: so it does
    where rows are read in the order of their times. None where all of it has to be read to know."""
    was, now = known.text.strip("{ }"), text.strip("{ }")
    pattern = ENTRY.match(now)
    if pattern is None or pattern[4] is None:
        return None
    colon, comma = pattern[2], pattern[4]
    last: dict[int, str] = {}
    while len(last) < MOST_SOUGHT:
        head, _, entry = now.rpartition(comma)
        told = ENTRY.fullmatch(entry)
        if told is None:
            return None
        pk, when = int(told[1]), told[3]
        if known.models.get(pk) == when:
            break
        last[pk], now = when, head
        if pk in known.models:
            stood = f'"{pk}"{colon}"{known.models[pk]}"'
            before, found, behind = was.partition(stood)
            if not found:
                return None
            was = before + behind.removeprefix(comma) if behind else before.removesuffix(comma)
    return last if was == now else None


@lru_cache(maxsize=2)
def needs(version: str) -> tuple[int | None, int]:
    """The newest and how many there are: what differs is written as a new row, so where both are as before, all are."""
    found = Need.objects.order_by().aggregate(newest=Max("pk"), held=Count("pk"))
    return found["newest"], found["held"]


def places(release: int) -> tuple[int, int | None]:
    """How many a release has, and the sum of their keys: none is ever changed, but some go with their model, or are put
    back with it, as new rows."""
    found = Place.objects.filter(release=release).order_by().aggregate(held=Count("pk"), keys=Sum("pk"))
    return found["held"], found["keys"]
