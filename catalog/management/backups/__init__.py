"""The whole database as one file, and back. Each kind of database has a module with `SUFFIX`, `write`, `verify` and
`restore`; `database` gives that of the one in use."""

from __future__ import annotations

from types import ModuleType

from django.db import connection

from catalog.management.backups import postgresql, sqlite
from catalog.management.backups.faults import BackupError

__all__ = ["BackupError", "database"]


def database() -> ModuleType:
    return postgresql if connection.vendor == "postgresql" else sqlite
