"""When rows were written: so that of many thousand rows those alone are read again that changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Aggregate, Count, Max, QuerySet, Sum, TextField
from django.db.models.sql.compiler import SQLCompiler

from catalog.models.language_model import LanguageModel
from catalog.models.need import Need
from catalog.models.release import Place

_newest: list[tuple[str, Mapping[int, str]]] = []  # one, shared by all that was read while it was so


class _Pairs(Aggregate):
    """Two columns of all rows as one text of JSON, of which a database makes one row in place of thousands."""

    function = "json_group_object"
    arity = 2
    output_field = TextField()

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any) -> Any:
        template = "CAST(%(function)s(%(expressions)s) AS text)"
        return self.as_sql(compiler, connection, function="json_object_agg", template=template, **extra)


@lru_cache(maxsize=2)
def published_models(version: str) -> Mapping[int, str]:
    """Primary key of each published model -> when its row was last written, from an index alone (`models_changed`).

    Where both are as before, so is the row: whatever writes one says when (`catalog.models.querysets`). Times are only
    to be compared, so they stay the texts that the database makes of them; where all are one text as before, it is not
    even read.
    """
    rows: QuerySet[LanguageModel] = (
        QuerySet(LanguageModel).filter(is_published=True).order_by()
    )  # past the manager, which looks at each row
    told = rows.aggregate(written=_Pairs("pk", "updated_at"))["written"] or "{}"
    if not _newest or _newest[0][0] != told:
        found = {int(pk): when for pk, when in json.loads(told).items()}
        _newest[:] = [(told, found if not _newest or _newest[0][1] != found else _newest[0][1])]
    return _newest[0][1]


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
