"""How the file is opened: to write where that can be, else to read; never made where it is missing.

SQLite makes an empty database of any name that it can, so that a wrong path looks like a site without tables. To read a
database in WAL mode it makes two files beside it; where it cannot it refuses, unless told that nobody writes
(`immutable`, https://www.sqlite.org/wal.html#read_only_databases).
"""

from __future__ import annotations

import os
from pathlib import Path
from time import monotonic
from typing import Any

from django.db.backends.sqlite3 import base
from django.db.utils import OperationalError

from config.outages import connecting

WRITABLE, READABLE, IMMUTABLE = "mode=rw", "mode=ro", "mode=ro&immutable=1"


class DatabaseWrapper(base.DatabaseWrapper):
    init_commands: list[str]
    _unwatched = False

    def get_connection_params(self) -> dict[str, Any]:
        params: dict[str, Any] = super().get_connection_params()
        path = self.file()
        if path is None:
            return params
        if not path.exists():
            raise OperationalError(
                f"There is no database at {path}. Make it by `python manage.py migrate` and fill it by "
                "`python manage.py sync_catalog` (`make load` and `model-atlas load` do both), or correct DATABASE_URL."
            )
        mode = _mode(path)
        self._unwatched = mode == IMMUTABLE
        if mode != WRITABLE:
            self.init_commands = [command for command in self.init_commands if "journal_mode" not in command]
        return params | {"database": f"{path.absolute().as_uri()}?{mode}"}

    def connect(self) -> None:
        with connecting():
            super().connect()
        if self._unwatched:
            self.close_at = monotonic()  # after this request: somebody may write it by then, unseen by this connection

    def file(self) -> Path | None:
        """None for what is in memory, or is given as an address with a mode of its own."""
        name = self.settings_dict["NAME"]
        return None if self.is_in_memory_db() or str(name).startswith("file:") else Path(name)

    def make_file(self) -> None:
        """An empty database, where there is none. Only its owner may read it: it holds password hashes and sessions.
        What SQLite makes beside it takes after it."""
        if path := self.file():
            path.touch(mode=0o600)


def _mode(path: Path) -> str:
    if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
        return WRITABLE
    in_use = Path(f"{path}-shm").exists()  # whoever has it open says there what is written
    return READABLE if in_use else IMMUTABLE
