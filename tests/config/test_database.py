"""SQLite as the product opens it: in a file, where locks are real."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler
from pytest_django import DjangoDbBlocker

from config import databases


@pytest.fixture
def connections(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, django_db_blocker: DjangoDbBlocker
) -> Iterator[ConnectionHandler]:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    handler = ConnectionHandler({"default": databases.database(tmp_path / "atlas.sqlite3")})
    with django_db_blocker.unblock():
        yield handler
        handler.close_all()


def pragma(connection: BaseDatabaseWrapper, name: str) -> object:
    with connection.cursor() as cursor:
        return cursor.execute(f"PRAGMA {name}").fetchone()[0]


@pytest.mark.parametrize(
    ("name", "value"), [("journal_mode", "wal"), ("busy_timeout", 20_000), ("synchronous", 1), ("foreign_keys", 1)]
)
def test_the_options_reach_the_connection(connections: ConnectionHandler, name: str, value: object) -> None:
    assert pragma(connections["default"], name) == value


def test_two_editors_wait_for_each_other(connections: ConnectionHandler, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both read before they write: with DEFERRED transactions one of them fails at once, whatever the timeout."""
    monkeypatch.setattr(transaction, "get_connection", lambda using=None: connections["default"])
    with connections["default"].cursor() as cursor:
        cursor.execute("CREATE TABLE counter (value INTEGER)")
        cursor.execute("INSERT INTO counter VALUES (0)")
    start, failures = threading.Barrier(2), []

    def add_often() -> None:
        connection = connections["default"]  # one for each thread
        start.wait()
        try:
            for _turn in range(20):
                with transaction.atomic(), connection.cursor() as cursor:
                    value = cursor.execute("SELECT value FROM counter").fetchone()[0]
                    cursor.execute("UPDATE counter SET value = %s", [value + 1])
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=add_often) for _editor in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    with connections["default"].cursor() as cursor:
        assert cursor.execute("SELECT value FROM counter").fetchone()[0] == 40
