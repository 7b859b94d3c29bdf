"""What was edited here: fields, rows that were added, and rows that were deleted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from catalog.models import Removal, Synced
from catalog.source import SourceCatalogue
from catalog.sync.kinds import KINDS, Kind
from catalog.sync.merge import same


class Edit(NamedTuple):
    """A row that differs from the data files: in some fields, or in all where it was added here."""

    kind: Kind
    row: Synced
    fields: tuple[str, ...]

    @property
    def added(self) -> bool:
        return self.row.shipped is None

    @property
    def values(self) -> list[tuple[str, Any, Any]]:
        """Fields with what the file says and what stands here."""
        shipped = self.row.shipped or {}
        return [(name, shipped[name], said(self.row, name)) for name in self.fields]


def edited_fields(row: Synced) -> list[str]:
    """Fields of a shipped row that no longer hold what its file said."""
    return [name for name, value in (row.shipped or {}).items() if not same(said(row, name), value)]


def local_edits() -> Iterator[Edit]:
    """Every row that no longer says what its file does, or has none. What was deleted is a `Removal`."""
    for kind in KINDS:
        for row in kind.model._base_manager.prefetch_related(*kind.links).order_by("pk"):  # each of these once
            fields = tuple(edited_fields(row))
            if fields or row.shipped is None:
                yield Edit(kind, row, fields)


def behind(catalogue: SourceCatalogue) -> list[str]:
    """Kinds of which the files say something that no sync has brought here yet."""
    found = []
    for kind in KINDS:
        rows = kind.model._base_manager.filter(shipped__isnull=False).values_list("shipped", flat=True)
        known = {kind.identity(shipped): shipped for shipped in rows if shipped is not None}
        removed = set(Removal.objects.filter(kind=kind.name).values_list("key", flat=True))
        records = {kind.identity(values): values for values in kind.records(catalogue)}
        if any(known.get(key) != values for key, values in records.items() if key not in removed):
            found.append(kind.name)
    return found


def said(row: Synced, name: str) -> Any:
    """As a file would say it: another row by the slug under which files know it."""
    value: Any = getattr(row, name, None)
    if isinstance(value, Synced):
        return (value.shipped or {}).get("slug", getattr(value, "slug", None))
    return value
