"""SQLite's own backup (https://www.sqlite.org/backup.html): one moment of the database, while others read and write."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from django.db import connection

from catalog.management.backups.faults import BackupError, Counts, same_counts

SUFFIX = ".sqlite3"
SECONDS = 60  # to wait for whoever writes; a sync holds its lock for less
BESIDE = ("-wal", "-shm")


def write(path: Path) -> Counts:
    """The first count begins a read transaction, and the copy is of the moment that it sees."""
    if not _file().exists():
        raise BackupError(f"There is no database at {_file()}.")
    try:
        with closing(_open(_file(), "ro")) as live, closing(_open(path, "rwc")) as copy:
            live.execute("BEGIN")
            counts = _counts(live)
            live.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, without the two that WAL keeps beside it
        copied = verify(path)
    except sqlite3.Error as error:
        raise BackupError(f"{_file()} cannot be copied: {error}") from error
    same_counts(counts, copied)
    return copied


def verify(path: Path) -> Counts:
    try:
        with closing(_open(path, "ro&immutable=1")) as copy:
            faults = [str(row[0]) for row in copy.execute("PRAGMA integrity_check(5)") if row[0] != "ok"]
            faults += [f"{row[0]}: row {row[1]} names no row" for row in copy.execute("PRAGMA foreign_key_check")]
            if faults:
                raise BackupError(f"{path} is damaged: {'; '.join(faults[:5])}")
            return _counts(copy)
    except sqlite3.Error as error:
        raise BackupError(f"{path} is no SQLite database: {error}") from error


def restore(path: Path) -> None:
    """In one transaction, which running servers see as any other: whatever stops it leaves the database as it was."""
    connection.close()
    target = _file()
    target.touch()
    try:
        with closing(_open(path, "ro&immutable=1")) as copy, closing(_open(target, "rw")) as live:
            copy.backup(live)
            live.execute("PRAGMA journal_mode=WAL")
    except sqlite3.Error as error:
        raise BackupError(f"{target} cannot be written: {error}") from error


def set_aside(folder: Path, prefix: str) -> Path:
    """For a database that cannot be read any more: its file as it is, out of the way. Servers must start anew."""
    connection.close()
    target = _file()
    kept = folder / f"{prefix}{target.name}"
    for end in ("", *BESIDE):
        if Path(f"{target}{end}").exists():
            shutil.move(f"{target}{end}", f"{kept}{end}")
    return kept


def _file() -> Path:
    name = str(connection.settings_dict["NAME"])
    if not name or name == ":memory:" or name.startswith("file:"):
        raise BackupError("The database is in memory, not in a file.")
    return Path(name)


def _open(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=SECONDS, isolation_level=None)


def _counts(database: sqlite3.Connection) -> Counts:
    names = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    tables = sorted(name for (name,) in names)
    return {name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in tables}  # noqa: S608
