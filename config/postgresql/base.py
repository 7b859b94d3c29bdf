"""How PostgreSQL is asked: by a server, never without end.

One that died refuses at once. One that holds still (stopped, starved, waiting for its disk) leaves connections open,
and its system acknowledges what is sent, so that no timeout of TCP applies: only who asks can give up. A connection
that is silent says nothing of the server (a router forgot it, another host took over): whether a new one can be had
does. Once one thread found that out, the others answer 503 at once, and one of them tries again now and then.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from inspect import GEN_CLOSED, getgeneratorstate
from time import monotonic
from types import SimpleNamespace
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg.abc import PQGen

from config import databases
from config.outages import Outage, connecting

ALIVE_S = 1.0
"""For an answer to `SELECT 1`, with which a request begins: no lock and no plan stand in its way."""
REFUSES_S = 1.0
"""An attempt to connect that fails sooner was refused, and holds nobody up. Any other was not answered: it need not end
by the bound, as a system takes about as long to find that there is no way to a host."""
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
        """Raises OperationalError where the answer takes longer than it may. What was asked is then cancelled, so that
        nobody is told of a failure which succeeds later, as a change does that waits for a lock. (Not so where the
        cancellation is not answered either: what a server had received before it held still may be done once it goes
        on, and only a transaction undoes it.)"""
        bound = self.longest_s or databases.answer_within_s
        if timeout is not None or bound is None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, bound)
        except psycopg.OperationalError as error:
            if getgeneratorstate(gen) == GEN_CLOSED:  # it was answered: this is what was said
                raise
            late = psycopg.OperationalError(f"PostgreSQL has not answered for {bound:g} s")
            if self.longest_s is None and self._cancelled(late):
                try:
                    return super().wait(gen, interval, databases.CONNECT_S)  # done at the last moment
                except psycopg.errors.QueryCanceled:
                    raise late from error
                except psycopg.Error:
                    if getgeneratorstate(gen) == GEN_CLOSED:
                        raise
            self.pgconn.finish()  # whatever it answers later is to something else
            raise late from error

    def _cancelled(self, late: Exception) -> bool:
        """Whether the server took the request, which is a connection of its own."""
        if OUTAGE.since is not None or not psycopg.capabilities.has_cancel_safe():  # libpq before 17 cannot give up
            return False
        try:
            self.cancel_safe(timeout=databases.CONNECT_S)
        except psycopg.errors.CancellationTimeout:
            OUTAGE.failed(late)
            return False
        except psycopg.Error:
            return False
        return True

    @contextmanager
    def within(self, longest_s: float | None) -> Iterator[None]:
        self.longest_s = longest_s
        try:
            yield
        finally:
            self.longest_s = None


class DatabaseWrapper(base.DatabaseWrapper):
    Database: Any = SimpleNamespace(**(vars(psycopg) | {"connect": Connection.connect}))
    connection: Connection | None

    def connect(self) -> None:
        with connecting():
            if OUTAGE.rests():
                raise psycopg.OperationalError("PostgreSQL did not answer a moment ago")
            began = monotonic()
            try:
                super().connect()
            except psycopg.Error as error:
                self.close()  # one without its time zone and role
                if monotonic() - began < REFUSES_S:
                    OUTAGE.refused(error)
                else:
                    OUTAGE.failed(error)
                raise
            OUTAGE.answered()

    def init_connection_state(self) -> None:
        """Part of connecting, and bound like it in a server."""
        assert self.connection is not None  # noqa: S101
        with self.connection.within(databases.answer_within_s and databases.CONNECT_S):
            super().init_connection_state()

    def is_usable(self) -> bool:
        """Asked even while no new connection can be had: one that answers is as good as ever, and one that does not is
        asked once."""
        if self.connection is None:
            return False
        try:
            with self.connection.within(ALIVE_S), self.connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except psycopg.Error:
            return False
        return True
