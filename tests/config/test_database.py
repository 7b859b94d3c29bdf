"""SQLite as the product opens it: in a file, where locks are real."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler
from pytest_django import DjangoDbBlocker

from config import databases

ROOT = Path(__file__).parents[2]


@pytest.fixture
def connections(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, django_db_blocker: DjangoDbBlocker
) -> Iterator[ConnectionHandler]:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    (tmp_path / "atlas.sqlite3").touch()
    handler = ConnectionHandler({"default": databases.database(tmp_path / "atlas.sqlite3")})
    with django_db_blocker.unblock():
        yield handler
        handler.close_all()


def pragma(connection: BaseDatabaseWrapper, name: str) -> object:
    with connection.cursor() as cursor:
        return cursor.execute(f"PRAGMA {name}").fetchone()[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("journal_mode", "wal"), ("busy_timeout", 20_000), ("synchronous", 1), ("foreign_keys", 1)),
        *(("mmap_size", 0), ("cache_size", -1024)),  # a mebibyte for each thread of each worker
    ],
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


def test_a_missing_file_is_an_error_that_names_the_command(
    tmp_path: Path, connections: ConnectionHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "atlas.sqlite3").unlink()
    with pytest.raises(OperationalError, match=r"no database at .*atlas\.sqlite3.*manage\.py migrate.*sync_catalog"):
        pragma(connections["default"], "journal_mode")
    assert not list(tmp_path.iterdir())


def read_only(path: str) -> object:
    """`os.access` of a reader: what root may do, which may run this test, says nothing."""

    def access(asked: object, mode: int) -> bool:
        return not (mode & os.W_OK and str(asked).startswith(path))

    return access


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_database_that_cannot_be_written_is_read(
    tmp_path: Path, connections: ConnectionHandler, monkeypatch: pytest.MonkeyPatch, journal: str
) -> None:
    connection, file = connections["default"], tmp_path / "atlas.sqlite3"
    with contextlib.closing(sqlite3.connect(file)) as made:
        made.executescript(f"PRAGMA journal_mode={journal}; CREATE TABLE seen (name); INSERT INTO seen VALUES ('a')")
    before = file.read_bytes()
    monkeypatch.setattr("os.access", read_only(str(tmp_path)))

    with connection.cursor() as cursor:
        assert cursor.execute("SELECT name FROM seen").fetchall() == [("a",)]
        with pytest.raises(OperationalError, match="readonly"):
            cursor.execute("INSERT INTO seen VALUES ('b')")
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [file.name]  # nothing was made beside it


def test_a_reader_sees_what_another_writes(
    tmp_path: Path, connections: ConnectionHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that may not write, beside one that does: it must not take the file for one that never changes."""
    connection, file = connections["default"], tmp_path / "atlas.sqlite3"
    writer = sqlite3.connect(file)
    writer.executescript("PRAGMA journal_mode=wal; CREATE TABLE seen (name); INSERT INTO seen VALUES ('a')")
    monkeypatch.setattr("os.access", read_only(str(tmp_path)))
    for count in (1, 2, 3):
        with connection.cursor() as cursor:
            assert cursor.execute("SELECT count(*) FROM seen").fetchone() == (count,)
        writer.execute("INSERT INTO seen VALUES ('b')")
        writer.commit()
    connection.close()
    writer.close()  # the last one takes the two files along
    with connection.cursor() as cursor:
        assert cursor.execute("SELECT count(*) FROM seen").fetchone() == (4,)
    connection.close_if_unusable_or_obsolete()  # at the end of a request: unseen writes would follow
    assert connection.connection is None


def test_migrate_makes_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/new.sqlite3")
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "config.settings")
    monkeypatch.setenv("SECRET_KEY", "x" * 40)
    command = [sys.executable, "manage.py", "migrate", "contenttypes", "-v", "0"]
    subprocess.run(command, check=True, timeout=60)
    assert (tmp_path / "new.sqlite3").stat().st_size > 0


def test_nobody_but_its_owner_reads_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, django_db_blocker: DjangoDbBlocker
) -> None:
    """It holds password hashes. So do the two files that SQLite makes beside it."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    path = tmp_path / "new.sqlite3"
    handler = ConnectionHandler({"default": databases.database(path)})
    with django_db_blocker.unblock():
        connection: Any = handler["default"]
        connection.make_file()
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE one (value INTEGER)")
        modes = {each.name: oct(each.stat().st_mode & 0o777) for each in tmp_path.iterdir()}
        handler.close_all()
    assert modes == {f"new.sqlite3{end}": "0o600" for end in ("", "-wal", "-shm")}


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite:///{}/none.sqlite3", "migrate"),
        ("postgresql://nobody@127.0.0.1:1/none", "refused"),
    ],
)
def test_a_command_says_in_a_line_that_there_is_no_database(url: str, said: str, tmp_path: Path) -> None:
    asked = os.environ | {"DATABASE_URL": url.format(tmp_path), "SECRET_KEY": "x" * 40}
    asked |= {"DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "config.settings"}
    done = subprocess.run(
        [sys.executable, "manage.py", "rank_models"], cwd=ROOT, env=asked, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
