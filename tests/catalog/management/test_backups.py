"""Backups of a database in a file, as the site has one, and of PostgreSQL where the tests run on it."""

from __future__ import annotations

import itertools
import shutil
import sqlite3
import subprocess
import threading
from contextlib import closing
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from catalog.management.backups import BackupError, folder, postgresql, sqlite
from catalog.management.backups.faults import same_counts
from catalog.models import Organization


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small database of the kind that the site keeps, in place of the tests' own, which is in memory."""
    path = tmp_path / "site.sqlite3"
    with closing(sqlite3.connect(path)) as here:
        here.execute("PRAGMA journal_mode=WAL")
        here.execute("CREATE TABLE django_migrations (id INTEGER PRIMARY KEY, app)")
        here.execute("CREATE TABLE organization (slug)")
    monkeypatch.setattr(sqlite, "_file", lambda: path)
    for command in ("backup", "restore"):
        monkeypatch.setattr(f"catalog.management.commands.{command}.database", lambda: sqlite)
    return path


def run(*arguments: Any) -> str:
    out = StringIO()
    call_command(*map(str, arguments), stdout=out)
    return out.getvalue()


def backups(place: Path) -> list[Path]:
    return sorted(place.glob("model-atlas-*"))


def only(place: Path) -> Path:
    (path,) = backups(place)
    return path


def organizations(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as here:
        return [slug for (slug,) in here.execute("SELECT slug FROM organization ORDER BY slug")]


def add(database: Path, *slugs: str) -> None:
    with closing(sqlite3.connect(database, timeout=60)) as here, here:
        here.executemany("INSERT INTO organization VALUES (?)", [(slug,) for slug in slugs])


def test_there_and_back(site: Path, tmp_path: Path) -> None:
    add(site, "first")
    assert "2 tables, 1 rows, verified" in run("backup", tmp_path / "kept")
    path = only(tmp_path / "kept")
    assert path.stat().st_mode & 0o077 == 0, "it holds password hashes"
    add(site, "second")
    with closing(sqlite3.connect(site, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM organization").fetchone() == (2,)
        run("restore", path, "--yes")
        assert reader.execute("SELECT count(*) FROM organization").fetchone() == (2,), "its own snapshot"
        reader.execute("COMMIT")
        assert reader.execute("SELECT count(*) FROM organization").fetchone() == (1,), "no restart is needed"
        assert reader.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    (before,) = (tmp_path / "kept").glob("before-restore-*")
    assert (organizations(site), organizations(before)) == (["first"], ["first", "second"])


def test_one_moment_while_others_write(site: Path, tmp_path: Path) -> None:
    """Pairs are written in one transaction each: a backup that sees half of one is of no moment."""
    stop, wrote = threading.Event(), threading.Event()

    def write() -> None:
        for number in itertools.count():
            add(site, f"a-{number}", f"b-{number}")
            wrote.set()
            if stop.is_set():
                return

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _turn in range(20):
            for _time in range(2):  # the first may have been under way when the last backup was made
                wrote.clear()
                wrote.wait()
            run("backup", tmp_path / "kept", "--keep", 20)
    finally:
        stop.set()
        writer.join()
    sizes = [len(organizations(path)) for path in backups(tmp_path / "kept")]
    assert [size % 2 for size in sizes] == [0] * 20
    assert sizes == sorted(set(sizes)), "each has more than the one before"


def test_it_asks_first(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("backup", tmp_path / "kept")
    add(site, "second")
    monkeypatch.setattr("builtins.input", lambda question: "y")
    with pytest.raises(CommandError, match="Nothing was changed"):
        run("restore", only(tmp_path / "kept"))
    assert organizations(site) == ["second"]
    monkeypatch.setattr("builtins.input", lambda question: "yes")
    run("restore", only(tmp_path / "kept"))
    assert organizations(site) == []


def test_an_index_that_says_something_else_is_damage(site: Path, tmp_path: Path) -> None:
    """Every page can be read and every row is there: only SQLite's own check looks at what an index says of them."""
    with closing(sqlite3.connect(site)) as here:
        here.execute("CREATE INDEX by_slug ON organization (slug)")
    add(site, *(f"organisation-{number}" for number in range(2000)))
    run("backup", tmp_path / "kept")
    path = only(tmp_path / "kept")
    raw = path.read_bytes()
    size = int.from_bytes(raw[16:18], "big")  # https://www.sqlite.org/fileformat2.html#the_database_header
    pages = [raw[start : start + size] for start in range(0, len(raw), size)]
    of_index = (2, 10)  # the first byte of its inner pages and its leaves, 1.6 in the same document
    path.write_bytes(b"".join(page.replace(b"-1500", b"-15-0") if page[0] in of_index else page for page in pages))
    with pytest.raises(CommandError, match=r"is damaged: .*by_slug"):
        run("restore", path, "--yes")


def test_a_damaged_backup_is_refused(site: Path, tmp_path: Path) -> None:
    add(site, *(f"organisation-{number}" for number in range(2000)))
    run("backup", tmp_path / "kept")
    path = only(tmp_path / "kept")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    other = tmp_path / "other.sqlite3"
    with closing(sqlite3.connect(other)) as here:
        here.execute("CREATE TABLE thing (name)")
    for wrong, reason in (
        (path, "damaged|malformed"),
        (other, "no backup of this site"),
        (tmp_path / "nowhere", "is no SQLite database"),
    ):
        with pytest.raises(CommandError, match=reason):
            run("restore", wrong, "--yes")
    assert len(organizations(site)) == 2000


def test_a_broken_database_is_set_aside(site: Path, tmp_path: Path) -> None:
    add(site, "first")
    run("backup", tmp_path / "kept")
    broken = b"not a database" * 1000
    site.write_bytes(broken)
    with pytest.raises(CommandError, match="cannot be copied"):
        run("backup", tmp_path / "kept")
    assert "Restart the site" in run("restore", only(tmp_path / "kept"), "--yes")
    (aside,) = (tmp_path / "kept").glob("before-restore-*.sqlite3")
    assert (organizations(site), aside.read_bytes()) == (["first"], broken)


def test_the_oldest_go(tmp_path: Path) -> None:
    made = [folder.new(tmp_path, ".sqlite3", lambda draft: None) for _turn in range(4)]
    other = [tmp_path / "model-atlas-notes.txt", tmp_path / "before-restore-20260101.sqlite3"]
    for path in other:
        path.touch()
    assert folder.rotate(tmp_path, ".sqlite3", 2) == [made[1], made[0]]
    assert sorted(tmp_path.iterdir()) == sorted([*made[2:], *other])


def test_what_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail(draft: Path) -> None:
        draft.write_text("half")
        raise BackupError("no more room")

    with pytest.raises(BackupError):
        folder.new(tmp_path, ".sqlite3", fail)
    assert list(tmp_path.iterdir()) == []


def test_other_rows_are_named() -> None:
    same_counts({"score": 3}, {"score": 3})
    with pytest.raises(BackupError, match=r"model: 2 in the database, none in the backup; score: 3 .* 1 in the backup"):
        same_counts({"score": 3, "model": 2}, {"score": 1})


def test_without_its_tools(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(BackupError, match="pg_restore is not installed"):
        postgresql.verify(tmp_path / "any.dump")


@pytest.fixture
def on_postgresql(transactional_db: None) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("runs on PostgreSQL alone")
    if shutil.which("pg_dump") is None:
        pytest.skip("without pg_dump")


def test_postgresql_there_and_back(on_postgresql: None, tmp_path: Path) -> None:
    Organization.objects.create(slug="first", name_en='A "quoted"\n\\. name')
    try:
        call_command("backup", tmp_path)
    except CommandError as error:
        if "server version mismatch" in str(error):
            pytest.skip("this pg_dump is older than the server")
        raise
    Organization.objects.create(slug="second")
    call_command("restore", only(tmp_path), "--yes")
    assert [row.slug for row in Organization.objects.all()] == ["first"]
    (before,) = tmp_path.glob("before-restore-*")
    script = subprocess.run(["pg_restore", "--file=-", before], capture_output=True, text=True, check=True).stdout
    assert "second" in script
    only(tmp_path).write_bytes(only(tmp_path).read_bytes()[:2000])
    with pytest.raises(CommandError, match="damaged"):
        call_command("restore", only(tmp_path), "--yes")
