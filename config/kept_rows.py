"""Rows of tables, written once after each change of the data: they look the same in every list that has them, but for
one thing, such as how models fit the reader's own cards."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.conf import settings
from django.utils.translation import get_language
from jinja2.runtime import Macro
from markupsafe import Markup

from catalog.models import DataChange

OWN = Markup("<own/>")  # where the macro writes it; no template has it, and what is not a template's is escaped


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


def kept_row(macro: Macro, own: Markup | None, *values: Any) -> Markup:
    """A row of the entry that is the first of `values`, on which all others depend. A macro may write `own`, which each
    list has for itself."""
    row = _Row(macro, values)
    written = _plain(row) if settings.DEBUG else _written(row)
    return written if own is None else Markup(str.replace(written, OWN, own))  # noqa: S704 - both are


@lru_cache(maxsize=2000)
def _written(row: _Row) -> Markup:
    written = _plain(row)
    row.values = ()  # this is kept, and they need not be
    return written


def _plain(row: _Row) -> Markup:
    takes_own = "own" in row.macro.arguments
    return Markup(row.macro(*row.values, **({"own": OWN} if takes_own else {})))  # noqa: S704 - a macro escapes
