"""What a table would change, whatever it is a table of: all of it is known before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db import transaction

MOST_BYTES = 2_000_000
MOST_ROWS = 5_000
FORMULA = (*"=+-@", *"＝＋－＠", "\t", "\r", "\n")  # what a spreadsheet would compute (OWASP, CSV injection)


class UnreadableTableError(ValueError):
    """Said in the editor's language."""


class Refusal(NamedTuple):
    """`place`: the line of a table that a row ends on, or the number of an entry."""

    place: int
    reason: str


class Change(NamedTuple):
    """`differences`: column, what stands, what comes; without them the row is new. `row` is not saved yet.

    `entry` names the row to the editor, and `comes` is what a new one says.
    """

    place: int
    row: Any
    differences: list[tuple[str, Any, Any]]
    entry: str
    comes: Any


@dataclass(slots=True)
class Plan:
    changes: list[Change] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    unchanged: int = 0

    @property
    def added(self) -> list[Change]:
        return [change for change in self.changes if not change.differences]

    @property
    def changed(self) -> list[Change]:
        return [change for change in self.changes if change.differences]

    def save(self) -> None:
        """All or nothing."""
        if self.refused:
            raise ValueError("a table with refused rows is not saved")
        with transaction.atomic():
            for change in self.changes:
                change.row.save()
