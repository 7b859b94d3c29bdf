"""When rows were written: so that of many thousand rows those alone are read again that changed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from django.db.models import Count, Max, QuerySet, Sum, TextField
from django.db.models.functions import Cast

from catalog.models.language_model import LanguageModel
from catalog.models.need import Need
from catalog.models.release import Place

_newest: list[Mapping[int, str]] = []  # one, shared by all that was read while it was so


@lru_cache(maxsize=2)
def published_models(version: str) -> Mapping[int, str]:
    """Primary key of each published model -> when its row was last written, from an index alone (`models_changed`).

    Where both are as before, so is the row: whatever writes one says when (`catalog.models.querysets`). Times are only
    to be compared, so they stay the texts that the database makes of them, which takes a fifth of the time.
    """
    rows: QuerySet[LanguageModel] = (
        QuerySet(LanguageModel).filter(is_published=True).order_by()
    )  # past the manager, which looks at each row
    found = dict(rows.annotate(written=Cast("updated_at", TextField())).values_list("pk", "written"))
    if not _newest or _newest[0] != found:
        _newest[:] = [found]
        return found
    return _newest[0]


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
