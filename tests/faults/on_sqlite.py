"""A site on an SQLite file of its own, its visitors and its editor."""

from __future__ import annotations

import re
import sqlite3
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from tests.servers.daemons import PATIENCE_S, Site
from tests.servers.editor import Editor
from tests.servers.readers import Readers

PATHS = (
    *("/en/?n={}", "/zh-hans/models/?n={}", "/en/models/llama-3-1-8b-instruct/?n={}", "/api/v1/models/?n={}"),
    *("/en/benchmarks/?n={}", "/en/accelerators/?n={}"),
)
FORM = "/admin/catalog/organization/1/change/"
READ_S, EDITS = 1.5, 20
EDITED = re.compile(r'name="name_en" value="Edit (\d+)')


def site_in(folder: Path) -> Site:
    """Its log lies elsewhere than what is broken."""
    data = folder / "data"
    data.mkdir(exist_ok=True)
    site = Site("site", folder, DATA_DIR=str(data), DATABASE_URL=f"sqlite:///{data}/site.sqlite3")
    site.load()
    return site


def read(site: Site) -> Counter[str]:
    readers = Readers(site.port, PATHS, rest_s=0.01)
    with readers.reading():
        time.sleep(READ_S)
    return readers.ends()


def assert_whole(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "site.sqlite3")) as here:
        found = here.execute("PRAGMA integrity_check").fetchone()
    assert found == ("ok",), found


def edits_by(editor: Editor, form: str = FORM) -> tuple[Counter[int], int]:
    """Statuses, and the last edit that was said to be saved; each is larger than the one before."""
    statuses, saved = Counter[int](), 0
    for number in range(1, EDITS + 1):
        status, _page = editor.send(form, name_en=f"Edit {number}", name_zh_hans=f"编辑 {number}")
        statuses[status] += 1
        saved = number if status == 302 else saved
    return statuses, saved


def found_by(editor: Editor) -> int:
    status, page = editor.ask(FORM)
    assert status == 200, f"{status} for the form afterwards"
    match = EDITED.search(page)
    return int(match[1]) if match else 0


def emptied(folder: Path) -> Path:
    """The database with nothing in its write-ahead log, whose room would be used again."""
    path = folder / "site.sqlite3"
    with closing(sqlite3.connect(path)) as here:
        here.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


def get(site: Site, path: str) -> tuple[int, str]:
    """Not one that is kept."""
    with closing(HTTPConnection("127.0.0.1", site.port, timeout=PATIENCE_S)) as connection:
        connection.request("GET", path, headers={"Cookie": "messages=none"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def told(ends: Mapping[Any, int]) -> str:
    return ", ".join(f"{number} x {end}" for end, number in sorted(ends.items()))
