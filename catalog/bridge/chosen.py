"""A question to the database as a key: what it answers is read once after each change, whatever address asks it."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.models import QuerySet

from catalog.models import DataChange


class Chosen:
    """Rows, known by what is asked of the database. Raises `EmptyResultSet` where nothing can be chosen so."""

    __slots__ = ("_rows", "key")

    def __init__(self, rows: QuerySet[Any, Any]) -> None:
        self._rows: QuerySet[Any, Any] | None = rows
        self.key = rows.query.sql_with_params()

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Chosen) and self.key == other.key

    def take(self) -> QuerySet[Any, Any]:
        """The rows, once: what is kept under this key need not hold them, too."""
        rows, self._rows = self._rows, None
        if rows is None:
            raise ValueError("These rows were taken already.")
        return rows


def kept_keys(rows: QuerySet[Any, int]) -> Sequence[int]:
    """All primary keys that `rows` are, in their order: what pages and counts are cut from."""
    with suppress(EmptyResultSet):
        return _kept(Chosen(rows), DataChange.version())
    return ()


@lru_cache(maxsize=32)
def _kept(chosen: Chosen, version: str) -> Sequence[int]:
    return array("q", chosen.take())
