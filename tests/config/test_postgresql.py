"""A PostgreSQL that holds still, against a real one that is stopped: nobody waits without end, none for nothing."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest
from django.db import DataError, OperationalError, transaction
from django.db.utils import ConnectionHandler
from pytest_django import DjangoDbBlocker

from config import databases
from config.outages import Outage, could_not_connect
from config.postgresql import base
from tests.servers.daemons import PostgreSQL, missing

pytestmark = pytest.mark.skipif(bool(missing("postgres", "initdb")), reason="needs PostgreSQL")
SOON_S = 1.0
"""More than anything here takes that does not wait for the server."""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSQL]:
    """Not below pytest's own folders, which are closed to the user that the server runs as."""
    with TemporaryDirectory() as folder, PostgreSQL(Path(folder)) as running:
        yield running


@pytest.fixture
def connections(
    server: PostgreSQL, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> Iterator[ConnectionHandler]:
    monkeypatch.setenv("DATABASE_URL", f"{server.url}?connect_timeout=2")
    monkeypatch.setattr(base, "OUTAGE", Outage("PostgreSQL", "", trying_s=3.0, rest_s=0.3))
    monkeypatch.setattr(base, "ALIVE_S", 0.5)
    monkeypatch.setattr(databases, "CONNECT_S", 2)
    names = ("default", "second", "third")  # as three threads of a process
    handler = ConnectionHandler({name: databases.database(tmp_path / "none") for name in names})
    with django_db_blocker.unblock():
        yield handler
        server.go_on()
        handler.close_all()


@pytest.fixture
def other(server: PostgreSQL) -> Iterator[psycopg.Connection[Any]]:
    """Somebody else's, who sees what is done."""
    with psycopg.connect(server.url, autocommit=True) as here:
        here.execute("DROP TABLE IF EXISTS seen")
        here.execute("CREATE TABLE seen AS SELECT 0 AS value")
        yield here


def running(other: psycopg.Connection[Any], question: str) -> int:
    """How many backends are at it."""
    found = other.execute("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query = %s", [question])
    return int((found.fetchone() or (0,))[0])


def ask(connection: Any, question: str = "SELECT 1") -> tuple[Any, float]:
    """As a request does, from its beginning on: what it got, and after how many seconds."""
    connection.close_if_unusable_or_obsolete()
    connection.health_check_done = False
    began = time.monotonic()
    try:
        with connection.cursor() as cursor:
            got: Any = cursor.execute(question).fetchone()[0]
    except OperationalError as error:
        got = error
    return got, time.monotonic() - began


def test_silence_is_found_out_once_and_is_over_at_once(server: PostgreSQL, connections: ConnectionHandler) -> None:
    connection = connections["default"]
    assert ask(connection)[0] == 1
    server.hang()
    said, took_s = ask(connection)  # on a connection that was kept, then by a new one
    assert could_not_connect(said)
    assert 2.5 <= took_s < 2.5 + SOON_S
    for _another in range(3):
        said, took_s = ask(connection)
        assert could_not_connect(said)
        assert took_s < 0.1  # while nobody tries
    time.sleep(0.3)
    said, took_s = ask(connection)  # one tries
    assert isinstance(said, OperationalError)
    assert 2 <= took_s < 2 + SOON_S
    server.go_on()
    time.sleep(0.3)
    assert ask(connection)[0] == 1
    assert base.OUTAGE.since is None


def test_one_that_refuses_is_asked_each_time(connections: ConnectionHandler, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes no time, and the first request after its return finds it."""
    connection = connections["default"]
    assert ask(connection)[0] == 1
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "PORT", 9)  # "discard", where nothing listens
    said, took_s = ask(connection)
    assert isinstance(said, OperationalError)
    assert took_s < SOON_S
    assert base.OUTAGE.since is None


def test_a_connection_that_leads_nowhere_is_made_anew(
    server: PostgreSQL, connections: ConnectionHandler, caplog: pytest.LogCaptureFixture
) -> None:
    """A router forgot it, or another host took over: the server is well, and others' connections are."""
    first, second = connections["default"], connections["second"]
    backends = [ask(each, "SELECT pg_backend_pid()")[0] for each in (first, second)]
    os.kill(backends[0], signal.SIGSTOP)
    said, took_s = ask(first)
    assert said == 1
    assert 0.5 <= took_s < 0.5 + SOON_S
    assert ask(second, "SELECT pg_backend_pid()")[0] == backends[1]
    assert base.OUTAGE.since is None
    assert not caplog.records


def test_a_connection_that_answers_is_used_while_others_find_no_new_one(
    server: PostgreSQL, connections: ConnectionHandler
) -> None:
    """As where only what makes new ones holds still."""
    kept, new = connections["default"], connections["second"]
    backend = ask(kept, "SELECT pg_backend_pid()")[0]
    assert server.process
    server.process.send_signal(signal.SIGSTOP)  # the one that starts the others
    assert could_not_connect(ask(new)[0])
    assert base.OUTAGE.since is not None
    assert ask(kept, "SELECT pg_backend_pid()")[0] == backend


def test_a_refusal_ends_the_rest(
    server: PostgreSQL, connections: ConnectionHandler, caplog: pytest.LogCaptureFixture
) -> None:
    """One that hung, was killed and started again is found by the first who asks."""
    first, second = connections["default"], connections["second"]
    server.hang()
    assert could_not_connect(ask(first)[0])
    server.kill()
    try:
        time.sleep(0.3)
        said, took_s = ask(first)  # one tries
        assert "refused" in str(said)
        assert took_s < SOON_S
        assert "refused" in str(ask(second)[0])  # as does any other
    finally:
        server.start()
    assert [ask(each)[0] for each in (first, second)] == [1, 1]
    assert [each.getMessage().partition(" of silence")[0] for each in caplog.records[1:]] == [
        "PostgreSQL refuses, after 0 s"
    ]


def test_a_slow_failure_is_a_silence(connections: ConnectionHandler, monkeypatch: pytest.MonkeyPatch) -> None:
    """That there is no way to a host is known after about as long as it is waited for, and by another name."""
    connection = connections["default"]

    def no_way(*_args: Any) -> Any:
        time.sleep(0.2)
        raise psycopg.OperationalError("No route to host")

    monkeypatch.setattr(base, "REFUSES_S", 0.1)
    monkeypatch.setattr(connection, "get_new_connection", no_way)
    assert "No route" in str(ask(connection)[0])
    assert "a moment ago" in str(ask(connection)[0])


def test_all_of_connecting_is_bound(connections: ConnectionHandler, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may hold still once it let somebody in. What was opened is not used without what was to be set."""
    connection = connections["default"]
    monkeypatch.setattr(databases, "answer_within_s", 20.0)
    monkeypatch.setattr(databases, "CONNECT_S", 0.4)
    monkeypatch.setattr(base, "REFUSES_S", 0.3)
    monkeypatch.setattr(connection, "_configure_connection", lambda new: new.execute("SELECT pg_sleep(5)"))
    said, took_s = ask(connection)
    assert could_not_connect(said)
    assert 0.4 <= took_s < 0.4 + SOON_S
    assert connection.connection is None
    assert base.OUTAGE.since is not None


def test_only_a_server_bounds_an_answer(connections: ConnectionHandler, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command may wait for its turn as long as it takes."""
    connection, slow = connections["default"], "SELECT 1 FROM pg_sleep(1)"
    assert ask(connection, slow)[0] == 1
    monkeypatch.setattr(databases, "answer_within_s", 0.4)
    said, took_s = ask(connection, slow)
    assert isinstance(said, OperationalError)
    assert "has not answered for 0.4 s" in str(said)
    assert not could_not_connect(said)  # so that its traceback is logged
    assert took_s < 0.4 + SOON_S
    assert base.OUTAGE.since is None  # it may have been a lock
    assert ask(connection)[0] == 1


def test_a_transaction_that_is_given_up_leaves_nothing(
    connections: ConnectionHandler, monkeypatch: pytest.MonkeyPatch, other: psycopg.Connection[Any]
) -> None:
    connection = connections["default"]
    monkeypatch.setattr(transaction, "get_connection", lambda using=None: connection)
    assert ask(connection)[0] == 1
    monkeypatch.setattr(databases, "answer_within_s", 0.4)

    def write() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("INSERT INTO seen VALUES (1)")
            cursor.execute("SELECT pg_sleep(1)")

    with pytest.raises(OperationalError, match="has not answered"):
        write()
    assert ask(connection, "SELECT count(*) FROM seen")[0] == 1  # as before


def test_what_was_refused_is_not_done_later(
    connections: ConnectionHandler, monkeypatch: pytest.MonkeyPatch, other: psycopg.Connection[Any]
) -> None:
    """A change outside a transaction that waits for another's lock: whoever sent it was told of a failure."""
    connection, change = connections["default"], "UPDATE seen SET value = value + 100"
    backend = ask(connection, "SELECT pg_backend_pid()")[0]
    monkeypatch.setattr(databases, "answer_within_s", 0.4)
    with other.transaction():
        other.execute("UPDATE seen SET value = 1")
        said, took_s = ask(connection, f"{change} RETURNING value")
        assert "has not answered for 0.4 s" in str(said)
        assert took_s < 0.4 + SOON_S
        assert running(other, f"{change} RETURNING value") == 0
    assert ask(connection, "SELECT value FROM seen")[0] == 1
    assert ask(connection, "SELECT pg_backend_pid()")[0] == backend  # which need not be made anew


def test_what_is_done_at_the_last_moment_is_done(
    connections: ConnectionHandler, monkeypatch: pytest.MonkeyPatch, other: psycopg.Connection[Any]
) -> None:
    """The cancellation came too late."""
    connection = connections["default"]
    assert ask(connection)[0] == 1
    monkeypatch.setattr(databases, "answer_within_s", 0.4)
    monkeypatch.setattr(base.Connection, "cancel_safe", lambda _self, timeout: time.sleep(0.4))
    change = "UPDATE seen SET value = 7 FROM pg_sleep(0.6) RETURNING value"
    assert ask(connection, change)[0] == 7
    assert ask(connection)[0] == 1  # which is its own answer
    failing = "SELECT 1 / (value - 7) FROM seen, pg_sleep(0.6)"
    with pytest.raises(DataError, match="division by zero"):
        ask(connection, failing)


def test_one_that_stops_at_a_question_is_given_up(server: PostgreSQL, connections: ConnectionHandler) -> None:
    """Nor does it take a cancellation, which is as good as a try to connect. Its answers come to nobody."""
    connection: Any = connections["default"]
    assert ask(connection)[0] == 1
    connection.health_check_enabled = False  # it was well as the request began
    server.hang()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(databases, "answer_within_s", 0.4)
        said, took_s = ask(connection, "SELECT 'stale'")
    assert "has not answered" in str(said)
    assert 2.4 <= took_s < 2.4 + SOON_S
    assert base.OUTAGE.since is not None
    said, took_s = ask(connection)
    assert could_not_connect(said)
    assert took_s < 0.1
    server.go_on()
    time.sleep(0.3)
    assert [ask(connection)[0] for _turn in range(3)] == [1, 1, 1]


def test_one_connection_lost_at_a_question_is_no_outage(
    connections: ConnectionHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection: Any = connections["default"]
    backend = ask(connection, "SELECT pg_backend_pid()")[0]
    monkeypatch.setattr(databases, "answer_within_s", 0.4)
    os.kill(backend, signal.SIGSTOP)
    connection.health_check_enabled = False  # it was well as the request began
    said, took_s = ask(connection)
    assert "has not answered" in str(said)
    assert 2.4 <= took_s < 2.4 + SOON_S
    assert base.OUTAGE.since is None
    assert ask(connection)[0] == 1


def test_a_transaction_goes_on_after_a_part_that_took_too_long(
    connections: ConnectionHandler, monkeypatch: pytest.MonkeyPatch, other: psycopg.Connection[Any]
) -> None:
    """What a savepoint keeps is kept."""
    connection = connections["default"]
    monkeypatch.setattr(transaction, "get_connection", lambda using=None: connection)
    assert ask(connection)[0] == 1
    monkeypatch.setattr(databases, "answer_within_s", 0.4)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO seen VALUES (1)")
        with pytest.raises(OperationalError, match="has not answered"), transaction.atomic():
            cursor.execute("INSERT INTO seen SELECT 2 FROM pg_sleep(5)")
        cursor.execute("INSERT INTO seen VALUES (3)")
    assert [value for (value,) in other.execute("SELECT value FROM seen ORDER BY value")] == [0, 1, 3]
