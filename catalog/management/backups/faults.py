from __future__ import annotations

Counts = dict[str, int]  # rows of each table


class BackupError(Exception):
    """Why no backup was made, or none restored."""


def same_counts(live: Counts, copy: Counts) -> None:
    """Raises `BackupError` with every table in which the copy has other rows than the database."""
    wrong = [
        f"{table}: {live.get(table, 'none')} in the database, {copy.get(table, 'none')} in the backup"
        for table in sorted(live.keys() | copy.keys())
        if live.get(table) != copy.get(table)
    ]
    if wrong:
        raise BackupError("The backup does not hold what the database does: " + "; ".join(wrong))
