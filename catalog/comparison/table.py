"""The table in which models stand side by side."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise


@dataclass(frozen=True, slots=True)
class ComparisonCell:
    """`text` is empty for unknown and where the row does not apply. `best` marks the row's best value."""

    text: str
    note: str = ""
    best: bool = False
    applies: bool = True


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    label: str | Promise
    cells: tuple[ComparisonCell, ...]
    address: str = ""

    @property
    def differs(self) -> bool:
        """Whether known values differ, or the row applies to some models alone."""
        return len({(cell.text, cell.applies) for cell in self.cells if cell.text or not cell.applies}) > 1


@dataclass(frozen=True, slots=True)
class Section:
    """`unknown` stands for an empty cell; `reasons` say, model by model, why the rows could not be filled."""

    title: str | Promise
    rows: tuple[ComparisonRow, ...]
    unknown: str | Promise = ""
    reasons: tuple[tuple[str, ...], ...] = ()
