"""PostgreSQL's own tools: `pg_dump` in its custom format, and `pg_restore` in one transaction."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from catalog.management.backups.faults import BackupError, Counts, same_counts

SUFFIX = ".dump"
COPY = re.compile(rb"COPY public\.\"?(\w+)\"? \(")  # how a table's rows begin in the script that pg_restore writes
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"


def write(path: Path) -> Counts:
    """The dump is of the same snapshot as the counts that it is held against."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        (snapshot,) = cursor.fetchone()
        counts = _counts(cursor)
        flags, name = _address()
        _run("pg_dump", *flags, "--format=custom", "--no-owner", f"--snapshot={snapshot}", f"--file={path}", name)
    copied = verify(path)
    same_counts(counts, copied)
    return copied


def verify(path: Path) -> Counts:
    """Reads the dump to its end and counts its rows."""
    counts: Counts = {}
    table = ""
    with subprocess.Popen(  # noqa: S603
        [_tool("pg_restore"), "--data-only", "--file=-", str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as reading:
        assert reading.stdout is not None  # noqa: S101
        assert reading.stderr is not None  # noqa: S101
        for line in reading.stdout:
            if table and line == b"\\.\n":
                table = ""
            elif table:
                counts[table] += 1
            elif begins := COPY.match(line):
                table = begins[1].decode()
                counts[table] = 0
        errors = reading.stderr.read().decode(errors="replace").strip()
    if reading.returncode:
        raise BackupError(f"{path} is damaged: {errors}")
    return counts


def restore(path: Path) -> None:
    flags, name = _address()
    connection.close()
    whole = ("--clean", "--if-exists", "--no-owner", "--single-transaction", "--exit-on-error")
    _run("pg_restore", *flags, *whole, f"--dbname={name}", str(path))


def _counts(cursor: Any) -> Counts:
    cursor.execute(TABLES)
    found = {}
    for (table,) in cursor.fetchall():
        cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")  # noqa: S608
        (found[table],) = cursor.fetchone()
    return found


def _address() -> tuple[list[str], str]:
    """Host, port and user as flags, and the database's name. The password goes by the environment, unseen by `ps`."""
    arguments, _environment = _client()
    return arguments[1:-1], arguments[-1]


def _client() -> tuple[list[str], dict[str, str]]:
    arguments, environment = connection.client.settings_to_cmd_args_env(connection.settings_dict, [])
    return list(arguments), environment or {}


def _run(name: str, *arguments: str) -> None:
    _arguments, environment = _client()
    done = subprocess.run(  # noqa: S603
        [_tool(name), *arguments], env=os.environ | environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BackupError(f"{name} failed: {done.stderr.strip()}")


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise BackupError(f"{name} is not installed: it comes with PostgreSQL's client (Debian: postgresql-client).")
    return found
