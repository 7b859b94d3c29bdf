"""The table in which models stand side by side."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise

NOTHING = "—"


@dataclass(frozen=True, slots=True)
class Cell:
    """`text` is empty for unknown, a dash where the row does not apply. `best` marks the row's best value."""

    text: str
    note: str = ""
    best: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    label: str | Promise
    cells: tuple[Cell, ...]
    address: str = ""

    @property
    def differs(self) -> bool:
        """Whether known values differ."""
        return len({cell.text for cell in self.cells if cell.text}) > 1


@dataclass(frozen=True, slots=True)
class Section:
    """`unknown` stands for an empty cell; `reasons` say, model by model, why the rows could not be filled."""

    title: str | Promise
    rows: tuple[Row, ...]
    unknown: str = ""
    reasons: tuple[tuple[str, ...], ...] = ()
