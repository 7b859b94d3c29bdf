"""Rows of the database that answer a question."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar, overload

from django.db.models import Model, QuerySet

from catalog.search.among import Among
from catalog.search.entries import Kind
from catalog.search.finding import find

Row = TypeVar("Row", bound=Model)
Rows = TypeVar("Rows", bound=QuerySet[Any])


def found(rows: Rows, kind: Kind, text: str) -> Rows:
    """Those of `rows`, all of one kind, that answer; all of them where nothing is asked."""
    return rows.filter(Among(keys(kind, text))) if text.strip() else rows


def keys(kind: Kind, text: str) -> list[int]:
    """Primary keys of what answers, the best first."""
    return [entry.pk for entry in find(text, kind).of(kind)]


class BestFirst(Sequence[Row]):
    """Those of `rows` that answer, the best first; rows are read for what is looked at alone, as a page of them.

    Not `narrowed`: `rows` are all that the search knows, so no query need say which of the finds are in them.
    """

    def __init__(self, rows: QuerySet[Row], kind: Kind, text: str, *, narrowed: bool = True) -> None:
        self._rows = rows
        self._order = keys(kind, text)
        if narrowed:
            kept = set(rows.filter(Among(self._order)).order_by().values_list("pk", flat=True))
            self._order = [key for key in self._order if key in kept]

    def __len__(self) -> int:
        return len(self._order)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...
    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, int):
            return self[index : index + 1][0]
        keys = self._order[index]
        known = {row.pk: row for row in self._rows.filter(pk__in=keys).order_by()}
        return [known[key] for key in keys if key in known]
