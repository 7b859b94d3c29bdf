"""Redis and PostgreSQL killed and started again, and stopped and continued, under readers and an editor.

Without Redis every page is a page. Without PostgreSQL it is 503, in the reader's language, and a page again once it is
back. Whatever the editor was told is saved is found afterwards. One that hangs is as one that is gone, after seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import NamedTuple

from tests.servers.daemons import PATIENCE_S, Daemon, PostgreSQL, Redis, Site, missing, says_ok
from tests.servers.editor import Editor
from tests.servers.readers import Readers

GONE_S = 3.0
HANGS_S = 10.0
"""Until a PostgreSQL that hangs has been given up by all threads, and some of them have tried again."""
PATHS = (
    *("/en/", "/zh-hans/models/?n={}", "/en/models/llama-3-1-8b-instruct/?context=8192&n={}", "/en/glossary/?n={}"),
    *("/en/calculator/?model=gpt-oss-20b&n={}", "/api/v1/models/?n={}", "/en/search/?q=llama&n={}"),
)
FORM = "/admin/catalog/organization/1/change/"


class Phase(NamedTuple):
    name: str
    act: Callable[[], object]
    allowed: set[str]
    ready: bool
    lasts_s: float = GONE_S
    settles_s: float = 0.0
    """So long after the act an answer may be one or the other."""


class Row(NamedTuple):
    phase: str
    ready: str
    answers: str
    longest_s: float
    right: bool


class Edits:
    """One after the other, each with a number. `saved` is the last that the editor was told is saved."""

    def __init__(self, port: int) -> None:
        self.editor, self.saved, self.tried, self.refused = Editor(port), 0, 0, 0
        self._done, self._thread = Event(), Thread(target=self._go_on)
        self._thread.start()

    def _go_on(self) -> None:
        while not self._done.wait(0.2):
            self.tried += 1
            status, _page = self.editor.send(FORM, url=f"https://example.org/{self.tried}")
            if status == 302:
                self.saved = self.tried
            else:
                self.refused += 1

    def end(self) -> None:
        self._done.set()
        self._thread.join(PATIENCE_S)

    def found(self) -> int:
        _status, page = self.editor.ask(FORM)
        return int(page.partition('value="https://example.org/')[2].partition('"')[0] or 0)


def main(place: Path) -> bool:
    if absent := missing("postgres", "initdb", "redis-server"):
        print(f"not done: {', '.join(absent)} is not installed")
        return True
    with PostgreSQL(place) as database, Redis(place) as redis:
        site = Site("site", place, DATABASE_URL=database.url, REDIS_URL=redis.url)
        site.load()
        with site:
            return _broken(site, database, redis)


def _broken(site: Site, database: Daemon, redis: Daemon) -> bool:
    readers, edits = Readers(site.port, PATHS, rest_s=0.01), Edits(site.port)
    phases = [
        Phase("all there", lambda: None, {"200"}, ready=True),
        Phase("Redis killed", redis.kill, {"200"}, ready=True),
        Phase("Redis back", redis.start, {"200"}, ready=True),
        Phase("Redis hangs", redis.hang, {"200"}, ready=True, lasts_s=HANGS_S),
        Phase("Redis goes on", redis.go_on, {"200"}, ready=True),
        Phase("PostgreSQL killed", database.kill, {"503"}, ready=False),
        Phase("PostgreSQL back", database.start, {"200"}, ready=True),
        Phase("PostgreSQL hangs", database.hang, {"503"}, ready=False, lasts_s=HANGS_S),
        Phase("PostgreSQL goes on", database.go_on, {"200"}, ready=True, settles_s=1.0),
        Phase("PostgreSQL hangs again", database.hang, {"503"}, ready=False, lasts_s=HANGS_S),
        Phase("killed and started", lambda: (database.kill(), database.start()), {"200"}, ready=True, settles_s=0.5),  # type: ignore[func-returns-value]
        Phase("both killed", lambda: (redis.kill(), database.kill()), {"503"}, ready=False),  # type: ignore[func-returns-value]
        Phase("both back", lambda: (redis.start(), database.start()), {"200"}, ready=True),
    ]
    rows = []
    with readers.reading():
        for phase in phases:
            before = readers.now_s()
            phase.act()
            time.sleep(phase.settles_s)
            settled = readers.now_s()
            time.sleep(phase.lasts_s)
            is_ready, is_alive = says_ok(site.port, "/readyz"), says_ok(site.port)
            meanwhile, after = readers.ends(before, settled), readers.ends(settled)
            longest_s = max(each.took_s for each in readers.seen if each.at_s >= before)
            right = set(after) == phase.allowed and set(meanwhile) <= {"200", "503"} and is_ready == phase.ready
            told = f"{_told(meanwhile)} -> {_told(after)}"
            rows.append(Row(phase.name, "200" if is_ready else "503", told, longest_s, right and is_alive))
    edits.end()
    for row in rows:
        wrong = "" if row.right else "WRONG"
        print(f"{row.phase:22} /readyz {row.ready}   {row.answers:40} longest {row.longest_s:4.1f} s {wrong}")
    found = edits.found()
    lost = not edits.saved <= found <= edits.tried
    print(f"edits: {edits.tried}, {edits.refused} refused, the last one saved {edits.saved}, found {found}")
    print(f"the longest request took {readers.longest_s():.1f} s")
    return all(row.right for row in rows) and not lost


def _told(ends: dict[str, int]) -> str:
    return ", ".join(f"{number} x {end}" for end, number in sorted(ends.items())) or "-"
