"""CSV, JSON and TOML <-> values by the names that data files use."""

from __future__ import annotations

import csv
import json
import tomllib
from collections.abc import Collection, Iterable, Iterator
from io import StringIO
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin

from django.utils.translation import gettext as _

from catalog.admin.tables.changes import FORMULA, MOST_BYTES, MOST_ROWS, Refusal, UnreadableTableError
from catalog.source.records import Record
from catalog.source.writing import tables

FORMATS = {"csv": "text/csv", "json": "application/json", "toml": "application/toml"}


class Entry(NamedTuple):
    """Values of one row. `place` is the line of a CSV, else which entry it is."""

    place: int
    values: dict[str, Any]


def written(form: str, name: str, records: Iterable[Record]) -> str:
    rows = list(records)
    if form == "toml":
        return tables(name, rows).lstrip("\n")
    if form == "json":
        return json.dumps([row.model_dump() for row in rows], indent=2, ensure_ascii=False) + "\n"
    out = StringIO()
    table = csv.writer(out)
    columns = list(type(rows[0]).model_fields) if rows else ["slug"]
    table.writerow(columns)
    for row in rows:
        table.writerow(_cell(getattr(row, column)) for column in columns)
    return "\ufeff" + out.getvalue()  # by which a spreadsheet knows that it is UTF-8


def _cell(value: Any) -> str:
    """Lists line by line; what a spreadsheet would take for a formula is led by an apostrophe, as scores are."""
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False) if value else ""
    text = "\n".join(value) if isinstance(value, list) else "" if value is None else str(value)
    return f"'{text}" if not isinstance(value, int | float) and text.startswith((*FORMULA, "'")) else text


def read(text: str, kind: type[Record], needed: Collection[str]) -> Iterator[Entry | Refusal]:
    """The form shows from the first character: JSON is a list, TOML begins with a table's head, the rest is CSV, whose
    first line names the columns that are `needed`."""
    if len(text.encode()) > MOST_BYTES:
        raise UnreadableTableError(_("The table is longer than %(limit)s MB.") % {"limit": MOST_BYTES // 10**6})
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    begins = text.lstrip()
    if begins.startswith(("[[", "#")):
        yield from _entries(_toml(text))
    elif begins.startswith(("[", "{")):
        yield from _entries(_json(text))
    else:
        yield from _lines(text, kind, needed)


def _toml(text: str) -> Any:
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # of numbers with thousands of digits, and of deep lists, too
        raise UnreadableTableError(_("This is not TOML: %(reason)s") % {"reason": error}) from None
    return next(iter(content.values())) if len(content) == 1 else content


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableTableError(_("This is not JSON: %(reason)s") % {"reason": error}) from None


def _entries(content: Any) -> Iterator[Entry]:
    rows = content if isinstance(content, list) else [content]
    if not all(isinstance(row, dict) for row in rows) or len(rows) > MOST_ROWS:
        raise UnreadableTableError(_("This is not a list of at most %(limit)s entries.") % {"limit": f"{MOST_ROWS:,}"})
    for place, row in enumerate(rows, 1):
        yield Entry(place, dict(row))


def _lines(text: str, kind: type[Record], needed: Collection[str]) -> Iterator[Entry | Refusal]:
    table = csv.reader(StringIO(text, newline=""), strict=True)
    try:
        head = [name.strip() for name in next(table, [])]
        _check(head, list(kind.model_fields), needed)
        for count, row in enumerate(table):
            if count >= MOST_ROWS:
                raise UnreadableTableError(_("The table has more than %(limit)s rows.") % {"limit": f"{MOST_ROWS:,}"})
            if any(cell.strip() for cell in row):
                yield _line(table.line_num, head, row, kind)
    except csv.Error as error:
        told = _("Line %(line)s is not CSV: %(reason)s")
        raise UnreadableTableError(told % {"line": table.line_num, "reason": error}) from None


def _check(head: list[str], known: list[str], needed: Collection[str]) -> None:
    missing, unknown = [name for name in needed if name not in head], [name for name in head if name not in known]
    if missing or unknown or len(set(head)) < len(head):
        told = _(
            "The first line must name columns, each once. Missing: %(missing)s. Unknown: %(unknown)s. Known: %(known)s."
        )
        words = {"missing": missing, "unknown": unknown, "known": known}
        raise UnreadableTableError(told % {key: ", ".join(names)[:300] or "—" for key, names in words.items()})


def _line(number: int, head: list[str], row: list[str], kind: type[Record]) -> Entry | Refusal:
    if len(row) != len(head):
        told = _("%(found)s cells where the first line names %(named)s columns.")
        return Refusal(number, told % {"found": len(row), "named": len(head)})
    try:
        return Entry(number, {name: _value(kind, name, cell) for name, cell in zip(head, row, strict=True)})
    except ValueError as error:
        return Refusal(number, str(error))


def _value(kind: type[Record], name: str, cell: str) -> Any:
    """A cell as the type of its column asks for it. An empty one is what a missing key means."""
    cell = cell.strip().removeprefix("'")
    field = kind.model_fields[name]
    default = None if field.is_required() else field.default
    if not cell:
        return "" if field.is_required() else default
    asked = set(_types(field.annotation))
    if isinstance(default, list):
        return cell.split("\n")
    if isinstance(default, dict):
        return json.loads(cell)
    if bool in asked:
        if cell.lower() not in {"true", "false"}:
            raise ValueError(_("%(name)s: “%(text)s” is neither true nor false.") % {"name": name, "text": cell[:80]})
        return cell.lower() == "true"
    if asked & {int, float}:
        try:
            return float(cell) if float in asked else int(cell)
        except ValueError:
            raise ValueError(_("%(name)s: “%(text)s” is not a number.") % {"name": name, "text": cell[:80]}) from None
    return cell


def _types(annotation: Any) -> Iterator[type]:
    """The plain types of a column; words of a fixed list are text."""
    if isinstance(annotation, type):
        yield annotation
    elif get_origin(annotation) is Annotated:
        yield from _types(get_args(annotation)[0])
    elif get_origin(annotation) is not Literal:
        for part in get_args(annotation):
            yield from _types(part)
