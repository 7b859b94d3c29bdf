"""A PostgreSQL that holds still, against a real one that is stopped: nobody waits without end, none for nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from django.db import OperationalError, transaction
from django.db.utils import ConnectionHandler
from pytest_django import DjangoDbBlocker

from config import databases
from config.outages import Outage
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
    handler = ConnectionHandler({"default": databases.database(tmp_path / "none")})
    with django_db_blocker.unblock():
        yield handler
        server.go_on()
        handler.close_all()


def ask(connection: Any, question: str = "SELECT 1") -> tuple[object, float]:
    """As a request does, from its beginning on: what it got, and after how many seconds."""
    connection.close_if_unusable_or_obsolete()
    connection.health_check_done = False
    began = time.monotonic()
    try:
        with connection.cursor() as cursor:
            got: object = cursor.execute(question).fetchone()[0]
    except OperationalError as error:
        got = error
    return got, time.monotonic() - began


def test_silence_is_found_out_once_and_is_over_at_once(server: PostgreSQL, connections: ConnectionHandler) -> None:
    connection = connections["default"]
    assert ask(connection)[0] == 1
    server.hang()
    said, took_s = ask(connection)  # on a connection that was kept
    assert isinstance(said, OperationalError)
    assert 0.5 <= took_s < 0.5 + SOON_S
    for _another in range(3):
        said, took_s = ask(connection)
        assert isinstance(said, OperationalError)
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


def test_only_a_server_bounds_an_answer(connections: ConnectionHandler, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command may wait for its turn as long as it takes."""
    connection, slow = connections["default"], "SELECT 1 FROM pg_sleep(1)"
    assert ask(connection, slow)[0] == 1
    monkeypatch.setattr(databases, "answer_within_s", 0.4)
    said, took_s = ask(connection, slow)
    assert isinstance(said, OperationalError)
    assert "has not answered for 0.4 s" in str(said)
    assert took_s < 0.4 + SOON_S
    assert base.OUTAGE.since is None  # it may have been a lock
    assert ask(connection)[0] == 1


def test_a_transaction_that_is_given_up_leaves_nothing(
    connections: ConnectionHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connections["default"]
    monkeypatch.setattr(transaction, "get_connection", lambda using=None: connection)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS seen (value integer)")
    monkeypatch.setattr(databases, "answer_within_s", 0.4)

    def write() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("INSERT INTO seen VALUES (1)")
            cursor.execute("SELECT pg_sleep(1)")

    with pytest.raises(OperationalError, match="has not answered"):
        write()
    assert ask(connection, "SELECT count(*) FROM seen")[0] == 0
