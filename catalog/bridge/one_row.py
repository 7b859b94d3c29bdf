"""A question for one row that is asked again and again with another value, written as SQL once.

Django writes it anew each time, which of a model with all that is linked takes six thousand calls: as many as an answer
of the API. It has no prepared question of its own, so this does what its `ModelIterable` does; a test holds the two
against each other.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Generic, TypeVar

from django.db import connection, models
from django.db.models.query import get_related_populators

Row = TypeVar("Row", bound=models.Model)


class OneRow(Generic[Row]):
    """The row of `rows` whose unique text column `name` has a value. It may link rows by `select_related`, annotate
    nothing, and leave out no column."""

    def __init__(self, rows: Callable[[], models.QuerySet[Row]], name: str) -> None:
        self._rows, self._name = rows, name
        self._written = cache(self._write)

    def named(self, value: str) -> Row | None:
        """Any text may be asked for."""
        if "\0" in value or not _is_unicode(value):  # no database takes either
            return None
        return self._written(connection.vendor).read(value)

    def _write(self, _vendor: str) -> _Written:
        return _Written(self._rows().filter(**{self._name: ASKED}).order_by())


def _is_unicode(value: str) -> bool:
    try:
        return value.encode() is not None
    except UnicodeEncodeError:  # half of a surrogate pair
        return False


ASKED = "\N{OBJECT REPLACEMENT CHARACTER}"
"""Stands where the value will."""


class _Written:
    __slots__ = ("_columns", "_converters", "_end", "_linked", "_model", "_params", "_sql", "_start")

    def __init__(self, rows: models.QuerySet[Any]) -> None:
        compiler: Any = rows.query.get_compiler(connection=connection)
        self._model = rows.model
        self._sql, self._params = compiler.as_sql()  # which fills `select` and `klass_info`
        own = compiler.klass_info["select_fields"]
        self._start, self._end = own[0], own[-1] + 1
        self._columns = [column[0].target.attname for column in compiler.select[self._start : self._end]]
        linked: Any = get_related_populators  # its stubs are of a later Django
        self._linked = linked(compiler.klass_info, compiler.select, connection.alias)
        self._converters = tuple(compiler.get_converters([column[0] for column in compiler.select]).items())

    def read(self, value: str) -> Any:
        with connection.cursor() as cursor:
            cursor.execute(self._sql, [value if each == ASKED else each for each in self._params])
            found = cursor.fetchone()
        if found is None:
            return None
        row = list(found)
        for at, (convert, column) in self._converters:
            for each in convert:
                row[at] = each(row[at], column, connection)
        entry = self._model.from_db(connection.alias, self._columns, row[self._start : self._end])
        for link in self._linked:
            link.populate(row, entry)
        return entry
