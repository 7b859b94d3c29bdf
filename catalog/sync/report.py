"""What a sync did, and what it left alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Kept:
    """A field that was edited here and differs from the file."""

    row: str
    field: str
    here: Any
    file: Any


@dataclass(slots=True)
class KindReport:
    """Rows of one kind. `removed` were deleted here and stay so; `vanished` are here, but no longer in the files."""

    name: str
    records: int = 0
    created: int = 0
    updated: int = 0
    dropped: int = 0
    kept: list[Kept] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    vanished: list[str] = field(default_factory=list)
    written: set[int] = field(default_factory=set)  # primary keys of rows whose history goes on


@dataclass(slots=True)
class Report:
    kinds: list[KindReport] = field(default_factory=list)
    derived: int = 0  # models whose derived columns changed
    ranked: list[str] = field(default_factory=list)  # boards that were computed anew

    @property
    def changed(self) -> bool:
        return bool(self.derived or self.ranked) or any(
            kind.created or kind.updated or kind.dropped for kind in self.kinds
        )

    def kept(self) -> Iterator[tuple[str, Kept]]:
        return ((kind.name, kept) for kind in self.kinds for kept in kind.kept)
