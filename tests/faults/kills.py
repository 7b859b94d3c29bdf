"""`kill -9` in the middle: what is found afterwards is the old state or the new one, and nothing else.

`python -m tests.faults kills --kills 100` prints the counts. Each run is a process of its own on a copy of one database
in a file, killed after a time drawn between nothing and a little more than the work takes undisturbed. The state is
every row that editors and files write, with its history, and ranks; times of writing are left out.

Ranks are committed before the request for them goes, so that it is never lost: killed in between, the new ranks are
there and still owed. Whatever was found, the next process must come to the new state.
"""

from __future__ import annotations

import hashlib
import os
import random
import re
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import django
from django.test.utils import setup_test_environment

LATEST = 1.3  # of the time that the work takes undisturbed: some are killed when it was just done
TABLES = (
    *(f"catalog_{name}" for name in ("organization", "licence", "benchmark", "accelerator", "family", "languagemodel")),
    *(f"catalog_{name}" for name in ("alias", "source", "score", "removal")),
    *(f"catalog_{name}" for name in ("release", "place", "standing")),
    "reversion_revision",
    "reversion_version",
    "django_admin_log",
    "django_migrations",
)
OWED = "SELECT count(*) FROM catalog_rankrequest"  # a change that ranks depend on leaves one
TIMES = {"updated_at", "date_created", "action_time", "applied", "removed_at", "seal"}  # a seal follows from one
TIMES_WITHIN = re.compile(r'"updated_at": "[^"]*"')


def digest(database: Path) -> str:
    """Also recovers it, as the next process to open it would."""
    found = hashlib.blake2b(digest_size=12)
    with closing(sqlite3.connect(database)) as here:
        assert here.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert here.execute("PRAGMA foreign_key_check").fetchone() is None
        for table in TABLES:
            columns = [f'"{row[1]}"' for row in here.execute(f"PRAGMA table_info({table})") if row[1] not in TIMES]
            found.update(f"{table} {columns}\n".encode())
            for row in here.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY rowid"):
                found.update(TIMES_WITHIN.sub("", repr(row)).encode())
        (owed,) = here.execute(OWED).fetchone()
    return f"{found.hexdigest()} owed:{owed}"


def state(folder: Path) -> str:
    """The database's, and that every file which looks like a backup is whole."""
    for backup in (folder / "backups").glob("[!.]*"):
        digest(backup)
    names = sorted(path.name for path in (folder / "backups").glob("model-atlas-*"))
    return f"{digest(folder / 'site.sqlite3')} {names}"


def in_a_child(folder: Path, act: Callable[[], None]) -> int:
    """Its process, with Django on the database of `folder`."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        with (folder / "log").open("a") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        from django.db import connection

        connection.settings_dict["NAME"] = str(folder / "site.sqlite3")
        act()
        connection.close()
        code = 0
    except BaseException:
        import traceback

        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


def whole(folder: Path, act: Callable[[], None]) -> None:
    _pid, status = os.waitpid(in_a_child(folder, act), 0)
    if status:
        raise SystemExit((folder / "log").read_text())


def run(folder: Path, work: Any, after_s: float | None) -> float:
    """Seconds that the work took, or ran until it was killed."""
    ready, tell = os.pipe()
    pid = in_a_child(folder, lambda: work(folder, lambda: os.write(tell, b"!")))
    os.close(tell)
    os.read(ready, 1)
    began = time.monotonic()
    if after_s is not None:
        time.sleep(after_s)
        os.kill(pid, signal.SIGKILL)
    _pid, status = os.waitpid(pid, 0)
    os.close(ready)
    if after_s is None and status:
        raise SystemExit((folder / "log").read_text())
    return time.monotonic() - began


def fresh(template: Path, folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(template, folder)
    return folder


Tell = Callable[[Path], str]


def old_and_new(name: str, template: Path, folder: Path, work: Any) -> tuple[Tell, float]:
    """How a state is told, and how long the work takes. A backup's name is its time: only that there is another."""
    from tests.faults.work import edited

    old, took = state(fresh(template, folder)), run(folder, work, None)
    new = state(folder)
    if name == "restore":  # begins with an edit of its own
        whole(fresh(template, folder), edited)
        old, new = state(folder), state(fresh(template, folder))
    if name == "backup":
        new = old.partition(" [")[0] + " ["
        return lambda folder: _one_of(state(folder), lambda seen: seen == old, lambda seen: seen.startswith(new)), took
    if name == "rank":
        return lambda folder: _ranks(folder, old, new), took
    return lambda folder: _one_of(state(folder), lambda seen: seen == old, lambda seen: seen == new), took


def _one_of(seen: str, old: Callable[[str], bool], new: Callable[[str], bool]) -> str:
    return "old" if old(seen) else "new" if new(seen) else "else"


def _ranks(folder: Path, old: str, new: str) -> str:
    from tests.faults.work import rank

    still_owed = new.replace("owed:0", old.split()[1])
    found = _one_of(state(folder), lambda seen: seen == old, lambda seen: seen in (new, still_owed))
    whole(folder, rank)
    return found if state(folder) == new else "else"


def data(place: Path) -> Path:
    """A few shipped models, and the same with other summaries."""
    from tests.catalog.shipped import copy_shipped

    template = place / "template"
    template.mkdir()
    copy_shipped(template / "data")
    shutil.copytree(template / "data", template / "newer")
    for card in (template / "newer" / "models").glob("*/*/card.toml"):
        card.write_text(card.read_text().replace('summary_en = "', 'summary_en = "Newer. '))
    (template / "site.sqlite3").touch()
    return template


def main(kills: int, seed: int, only: str | None) -> bool:
    """Whether nothing else was found."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    os.environ["DATABASE_URL"] = "sqlite:////nowhere.sqlite3"
    django.setup()
    setup_test_environment()  # a page then tells its form
    from catalog.standings import requests
    from tests.faults.work import WORK, prepare, prepare_migration

    requests._start = lambda: None  # that ranks are owed is the state; computing them is other work
    draw = random.Random(seed)
    print(f"seed {seed}\n{'':10}{'kills':>7}{'old':>7}{'new':>7}{'else':>7}{'took (s)':>10}")
    wrong = 0
    with tempfile.TemporaryDirectory() as place:
        template = data(Path(place))
        whole(template, lambda: prepare(template))
        for name, work in WORK.items():
            if only not in (None, name):
                continue
            if name == "migrate":
                whole(template, lambda: prepare_migration(template))
            folder = Path(place) / "run"
            tell, took = old_and_new(name, template, folder, work)
            counts: Counter[str] = Counter()
            for _kill in range(kills):
                run(fresh(template, folder), work, draw.uniform(0, LATEST * took))
                counts[_told(tell, folder)] += 1
            wrong += counts["else"]
            print(
                f"{name:10}{kills:>7}{counts['old']:>7}{counts['new']:>7}{counts['else']:>7}{took:>10.2f}",
                flush=True,
            )
    return not wrong


def _told(tell: Tell, folder: Path) -> str:
    try:
        return tell(folder)
    except (AssertionError, sqlite3.Error):
        return "else"
