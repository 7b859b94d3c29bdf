"""CSV <-> score records. Columns bear the names of the data files; a row is checked as a file is."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from io import StringIO
from typing import Any, NamedTuple

from django.utils.translation import gettext as _
from pydantic import ValidationError

from catalog.admin.tables.changes import FORMULA, MOST_BYTES, MOST_ROWS, Refusal, UnreadableTableError
from catalog.models import Score
from catalog.source.records import ScoreRecord

COLUMNS = tuple(ScoreRecord.model_fields)
REQUIRED = frozenset(name for name, field in ScoreRecord.model_fields.items() if field.is_required())


class Line(NamedTuple):
    """A record with the line of the file that it ends on."""

    number: int
    record: ScoreRecord


def written(scores: Iterable[Score]) -> str:
    out = StringIO()
    table = csv.writer(out)
    table.writerow(COLUMNS)
    for score in scores:
        slugs = {"model": score.model.slug, "benchmark": score.benchmark.slug}
        table.writerow(_cell(slugs.get(name, getattr(score, name))) for name in COLUMNS)
    return out.getvalue()


def _cell(value: Any) -> str:
    """A text that a spreadsheet would take for a formula is led by an apostrophe, which `read` takes away."""
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith((*FORMULA, "'")) else text


def read(text: str) -> Iterator[Line | Refusal]:
    """Every row, as a record or with the reason why it is none."""
    if len(text.encode()) > MOST_BYTES:
        raise UnreadableTableError(_("The table is longer than %(limit)s MB.") % {"limit": MOST_BYTES // 10**6})
    table = csv.reader(StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        head = [name.strip() for name in next(table, [])]
        _check(head)
        for count, row in enumerate(table):
            if count >= MOST_ROWS:
                raise UnreadableTableError(_("The table has more than %(limit)s rows.") % {"limit": f"{MOST_ROWS:,}"})
            if any(cell.strip() for cell in row):
                yield _line(table.line_num, head, row)
    except csv.Error as error:
        told = _("Line %(line)s is no CSV: %(reason)s")
        raise UnreadableTableError(told % {"line": table.line_num, "reason": error}) from None


def _check(head: list[str]) -> None:
    unknown = [name for name in head if name not in COLUMNS]
    missing = sorted(REQUIRED - set(head))
    if unknown or missing or len(set(head)) < len(head):
        told = _("The first line must name columns. Missing: %(missing)s. Unknown: %(unknown)s. Known: %(known)s.")
        words = {"missing": missing, "unknown": unknown, "known": COLUMNS}
        raise UnreadableTableError(told % {key: ", ".join(names)[:300] or "—" for key, names in words.items()})


def _line(number: int, head: list[str], row: list[str]) -> Line | Refusal:
    if len(row) != len(head):
        told = _("%(found)s cells where the first line names %(named)s columns.")
        return Refusal(number, told % {"found": len(row), "named": len(head)})
    cells = (cell.replace("\r\n", "\n").strip().removeprefix("'") for cell in row)
    values: dict[str, Any] = dict(zip(head, cells, strict=True))
    try:
        values["value"] = float(values["value"])
    except ValueError:
        return Refusal(number, _("value: “%(text)s” is no number.") % {"text": values["value"][:80]})
    try:
        return Line(number, ScoreRecord(**values))
    except ValidationError as error:
        faults = error.errors(include_url=False)
        return Refusal(number, "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in faults))
