"""Redis and PostgreSQL killed and started again under readers and an editor.

Without Redis every page is a page. Without PostgreSQL it is 503, in the reader's language, and a page again once it is
back. Whatever the editor was told is saved is found afterwards.
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
PATHS = (
    *("/en/", "/zh-hans/models/?n={}", "/en/models/llama-3-1-8b-instruct/?context=8192&n={}", "/en/glossary/?n={}"),
    *("/en/calculator/?model=gpt-oss-20b&n={}", "/api/v1/models/?n={}", "/en/search/?q=llama&n={}"),
)
FORM = "/admin/catalog/organization/1/change/"


class Row(NamedTuple):
    phase: str
    ready: str
    answers: str
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
    phases: list[tuple[str, Callable[[], object], set[str], bool]] = [
        ("all there", lambda: None, {"200"}, True),
        ("Redis killed", redis.kill, {"200"}, True),
        ("Redis back", redis.start, {"200"}, True),
        ("PostgreSQL killed", database.kill, {"503"}, False),
        ("PostgreSQL back", database.start, {"200"}, True),
        ("both killed", lambda: (redis.kill(), database.kill()), {"503"}, False),  # type: ignore[func-returns-value]
        ("both back", lambda: (redis.start(), database.start()), {"200"}, True),
    ]
    rows = []
    with readers.reading():
        for phase, act, allowed, ready in phases:
            before = readers.now_s()
            act()
            settled = readers.now_s()
            time.sleep(GONE_S)
            is_ready = says_ok(site.port, "/readyz")
            meanwhile, after = readers.ends(before, settled), readers.ends(settled)
            right = set(after) == allowed and set(meanwhile) <= {"200", "503"} and is_ready == ready
            rows.append(Row(phase, "200" if is_ready else "503", f"{_told(meanwhile)} -> {_told(after)}", right))
    edits.end()
    for row in rows:
        print(f"{row.phase:18} /readyz {row.ready}   {row.answers:40} {'' if row.right else 'WRONG'}")
    found = edits.found()
    lost = not edits.saved <= found <= edits.tried
    print(f"edits: {edits.tried}, {edits.refused} refused, the last one saved {edits.saved}, found {found}")
    print(f"the longest request took {readers.longest_s():.1f} s")
    return all(row.right for row in rows) and not lost


def _told(ends: dict[str, int]) -> str:
    return ", ".join(f"{number} x {end}" for end, number in sorted(ends.items())) or "-"
