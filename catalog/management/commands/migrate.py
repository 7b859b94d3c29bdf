"""Django's `migrate`, the one command that makes the database file where there is none."""

from __future__ import annotations

from typing import Any

from django.core.management.commands import migrate
from django.db import connections


class Command(migrate.Command):
    def execute(self, *args: Any, **options: Any) -> str | None:  # before the checks, which ask the database
        make_file = getattr(connections[options["database"]], "make_file", None)  # SQLite's, see config.sqlite3
        if make_file:
            make_file()
        return super().execute(*args, **options)
