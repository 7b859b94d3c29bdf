"""The state of the data, by its changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import local
from time import time_ns
from uuid import uuid4

from django.db import connection, models

_last_seen = local()  # of this thread, as its connection is


def name_of_change() -> str:
    """A later change has the larger name, so that it is the one by which `DataChange.version` tells."""
    return f"{time_ns():016x}{uuid4().hex[:16]}"


class DataChange(models.Model):
    """One change of rows that pages show, under a name of its own.

    Each is a row of its own, so that transactions which change different rows need not wait for each other here.
    """

    name = models.CharField(max_length=32, primary_key=True, default=name_of_change, editable=False)

    def __str__(self) -> str:
        return self.name

    @classmethod
    def record(cls, *, forget: bool = False) -> None:
        """To be called in the transaction that changes rows. `forget`: this change stands for all before it."""
        if forget:
            cls.objects.all().delete()
        cls.objects.create()

    @classmethod
    def version(cls) -> str:
        """Names the data as it is now. Ask before reading rows: what changes meanwhile comes under the next name.

        Changes are counted, because they do not commit in the order in which they began. The largest of their names,
        which is the latest one's, tells apart databases that happen to have as many: one, and its backup that was
        brought back and then changed. SQLite says by itself whether anything was written since this thread last asked,
        so that most questions cost no query.
        """
        pinned: str | None = getattr(_last_seen, "pinned", None)
        if pinned is not None:
            return pinned
        unchanged = _sqlite_state()
        if unchanged is not None and getattr(_last_seen, "state", None) == unchanged:
            return str(_last_seen.version)
        count, largest = cls._seen()
        _last_seen.state = unchanged
        _last_seen.version = f"{count}-{largest or ''}"
        return str(_last_seen.version)

    @classmethod
    def _seen(cls) -> tuple[int, str | None]:
        """How many changes there are, and the largest of their names. As SQL: where the database is none of SQLite's,
        each answer asks it, and an aggregate takes Django as many calls as a quarter of the API's."""
        quote = connection.ops.quote_name
        column = quote("name")
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT COUNT({column}), MAX({column}) FROM {quote(cls._meta.db_table)}")  # noqa: S608
            count, largest = cursor.fetchone()
        return count, largest

    @classmethod
    @contextmanager
    def pinned(cls) -> Iterator[str]:
        """Asks once for all that one answer is made of, which is then kept under this version."""
        _last_seen.pinned = version = cls.version()
        try:
            yield version
        finally:
            _last_seen.pinned = None


def _sqlite_state() -> tuple[object, ...] | None:
    """The connection, what others committed (`PRAGMA data_version`), what it wrote, and in which transactions it is:
    what one of them wrote may be rolled back, which no count tells. None elsewhere.

    The connection is kept, not its `id`, which another one could have after it; so are the transactions.
    """
    if connection.vendor != "sqlite":
        return None
    connection.ensure_connection()
    here = connection.connection
    (others,) = here.execute("PRAGMA data_version").fetchone()
    return here, others, here.total_changes, *connection.atomic_blocks
