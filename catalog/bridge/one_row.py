"""Questions for rows that are asked again and again with other values, written as SQL once.

Django writes it anew each time, which of a model with all that is linked takes six thousand calls: as many as an answer
of the API. It has no prepared question of its own, so this does what its `ModelIterable` does; a test holds the two
against each other.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from functools import cache, lru_cache
from typing import Any, Generic, TypeVar, cast

from django.db import connection, models
from django.db.models.base import ModelState
from django.db.models.query import get_related_populators
from django.utils.translation import get_language

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


class ManyRows(Generic[Row]):
    """Those of `rows` that have certain primary keys. It may link rows by `select_related` and leave out columns."""

    def __init__(self, rows: Callable[[], models.QuerySet[Row]]) -> None:
        self._rows = rows
        self._written = cache(self._write)

    def of(self, keys: Sequence[int]) -> dict[int, Row]:
        """By primary key."""
        return {row.pk: row for row in self._written(connection.vendor, get_language()).read_all(keys)} if keys else {}

    def _write(self, _vendor: str, _language: str | None) -> _Written:
        return _Written(self._rows().filter(pk__in=[NUMBER]).order_by())


class Values:
    """A question for values, written once for all `numbers` that may stand in it, and for each of few other choices.

    `rows` makes the question; `columns` are whole numbers, floats and texts.
    """

    def __init__(self, rows: Callable[..., models.QuerySet[Any]], *columns: str) -> None:
        self._rows, self._columns = rows, columns
        self._written = lru_cache(maxsize=64)(self._write)

    def of(self, *numbers: int, **choices: Hashable) -> list[tuple[Any, ...]]:
        sql, params = self.write(len(numbers), **choices)
        asked = dict(zip(NUMBERS, numbers, strict=False))
        with connection.cursor() as cursor:
            cursor.execute(sql, [asked.get(each, each) for each in params])
            return cursor.fetchall()

    def write(self, number: int, **choices: Hashable) -> tuple[str, tuple[Any, ...]]:
        """The question with places for so many numbers, which may be done before it is asked."""
        return self._written(connection.vendor, number, tuple(choices.items()))

    def _write(
        self, _vendor: str, number: int, choices: tuple[tuple[str, Hashable], ...]
    ) -> tuple[str, tuple[Any, ...]]:
        rows = self._rows(*NUMBERS[:number], **dict(choices))
        # Past the models' own manager, which asks for columns in any order and sorts each row for itself.
        return models.QuerySet(rows.model, rows.query).values_list(*self._columns).query.sql_with_params()


NUMBERS = range(2**62 + 1, 2**62 + 5)
"""Stand where numbers will: larger than any, and as large as every column takes."""
NUMBER = NUMBERS[0]
"""Stands where primary keys will."""
_ONE_OF = "IN (%s)"
_MOST = 500  # values in a question; databases take no more than some thousands


class _Written:
    __slots__ = ("_beside", "_columns", "_converters", "_end", "_linked", "_model", "_params", "_sql", "_start")

    def __init__(self, rows: models.QuerySet[Any]) -> None:
        compiler: Any = rows.query.get_compiler(connection=connection)
        self._model = rows.model
        self._beside = cast(dict[str, Any] | None, None)  # what every entry has beside its columns
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
        return None if found is None else self._made(found)

    def read_all(self, keys: Sequence[int]) -> Iterator[Any]:
        """Of a question with `NUMBER` in it."""
        if self._sql.count(_ONE_OF) != 1:
            raise ValueError(f"not one list of keys: {self._sql}")
        at = self._params.index(NUMBER)
        for start in range(0, len(keys), _MOST):
            some = keys[start : start + _MOST]
            sql = self._sql.replace(_ONE_OF, f"IN ({', '.join(['%s'] * len(some))})")
            with connection.cursor() as cursor:
                cursor.execute(sql, [*self._params[:at], *some, *self._params[at + 1 :]])
                found = cursor.fetchall()
            yield from map(self._made, found)

    def _made(self, found: Sequence[Any]) -> Any:
        row = list(found)
        for at, (convert, column) in self._converters:
            for each in convert:
                row[at] = each(row[at], column, connection)
        entry = self._entry(row[self._start : self._end])
        for link in self._linked:
            link.populate(row, entry)
        return entry

    def _entry(self, values: Sequence[Any]) -> Any:
        """The first as `from_db` makes it, which asks for each field of a model whether it was left out; the others as
        the first."""
        if self._beside is None:
            first = self._model.from_db(connection.alias, self._columns, values)
            known = {"_state", *self._columns}
            self._beside = {name: value for name, value in vars(first).items() if name not in known}
            return first
        entry: Any = object.__new__(self._model)
        state = ModelState()
        state.adding, state.db = False, connection.alias
        entry.__dict__.update({"_state": state, **self._beside}, **dict(zip(self._columns, values, strict=True)))
        return entry
