"""What was edited here, for one row."""

from __future__ import annotations

from typing import Any

from catalog.models import Synced
from catalog.sync.merge import same


def edited_fields(row: Synced) -> list[str]:
    """Fields of a shipped row that no longer hold what its file said."""
    return [name for name, value in (row.shipped or {}).items() if not same(_value(row, name), value)]


def _value(row: Synced, name: str) -> Any:
    """As a file would say it: another row by the slug under which files know it."""
    value: Any = getattr(row, name, None)
    if isinstance(value, Synced):
        return (value.shipped or {}).get("slug", getattr(value, "slug", None))
    return value
