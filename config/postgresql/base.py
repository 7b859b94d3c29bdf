"""How PostgreSQL is asked: by a server, never without end.

One that died refuses at once. One that holds still (stopped, starved, waiting for its disk) leaves connections open,
and its system acknowledges what is sent, so that no timeout of TCP applies: only who asks can give up. Once one thread
found that out, the others answer 503 at once, and one of them tries again now and then.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from types import SimpleNamespace
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg.abc import PQGen

from config import databases
from config.outages import Outage

ALIVE_S = 3.0
"""For an answer to `SELECT 1`, with which a request begins: no lock and no plan stand in its way."""
OUTAGE = Outage(
    "PostgreSQL",
    "visitors get 503",
    trying_s=databases.CONNECT_S + 1,
    rest_s=0.5,
)


class Connection(psycopg.Connection[Any]):
    longest_s: float | None = None
    """That long an answer may take, in place of what is bound for the process."""

    def wait(self, gen: PQGen[Any], interval: float = 0.1, timeout: float | None = None) -> Any:
        bound = timeout or self.longest_s or databases.answer_within_s
        began = monotonic()
        try:
            return super().wait(gen, interval, bound)
        except psycopg.OperationalError as error:
            if bound is None or monotonic() - began < bound:
                raise
            self.pgconn.finish()  # whatever it answers later is to something else
            raise Silence(f"PostgreSQL has not answered for {bound:g} s") from error

    @contextmanager
    def within(self, longest_s: float) -> Iterator[None]:
        self.longest_s = longest_s
        try:
            yield
        finally:
            self.longest_s = None


class Silence(psycopg.OperationalError):
    pass


class DatabaseWrapper(base.DatabaseWrapper):
    Database: Any = SimpleNamespace(**(vars(psycopg) | {"connect": Connection.connect}))
    connection: Connection | None

    def connect(self) -> None:
        if OUTAGE.rests():
            raise psycopg.OperationalError("PostgreSQL did not answer a moment ago")
        try:
            super().connect()
        except (psycopg.errors.ConnectionTimeout, Silence) as error:
            OUTAGE.failed(error)
            raise
        OUTAGE.answered()

    def is_usable(self) -> bool:
        if self.connection is None or OUTAGE.since is not None:  # `connect` knows whether to try
            return False
        try:
            with self.connection.within(ALIVE_S), self.connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except Silence as error:
            OUTAGE.failed(error)
            return False
        except psycopg.Error:
            return False
        return True
