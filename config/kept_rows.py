"""Rows of tables, written once after each change of the data: they look the same in every list that has them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.conf import settings
from django.utils.translation import get_language
from jinja2.runtime import Macro
from markupsafe import Markup

from catalog.models import DataChange


class _Row:
    """What is asked of a macro, known by what decides the answer."""

    __slots__ = ("key", "macro", "values")

    def __init__(self, macro: Macro, values: tuple[Any, ...]) -> None:
        self.macro, self.values = macro, values
        entry = values[0]
        self.key = (macro.name, type(entry), entry.pk, get_language(), DataChange.version())

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Row) and self.key == other.key


def kept_row(macro: Macro, fits: object, *values: Any) -> Markup:
    """A row of the entry that is the first of `values`, on which all others depend; with `fits`, how models fit the
    reader's own cards, it is written anew."""
    if fits or settings.DEBUG:
        return Markup(macro(*values, fits=fits))  # noqa: S704 - a macro escapes
    return _written(_Row(macro, values))


@lru_cache(maxsize=2000)
def _written(row: _Row) -> Markup:
    values, row.values = row.values, ()  # this is kept, and they need not be
    return Markup(row.macro(*values))  # noqa: S704 - a macro escapes
