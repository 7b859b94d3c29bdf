"""Two hosts with one PostgreSQL and one Redis behind nginx, by the documented file: what an edit on one means for the
other, and what visitors notice when one of them dies, is restarted, or comes back.

Hosts are ports of this machine; each is a gunicorn with processes of its own, killed as a whole.
"""

from __future__ import annotations

import re
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import urlopen

import psycopg

from tests.servers.daemons import PATIENCE_S, PostgreSQL, Redis, Site, missing
from tests.servers.editor import Editor
from tests.servers.nginx import Nginx
from tests.servers.readers import Readers, quantile

READERS, PHASE_S, EDITS = 16, 4.0, 20
PATHS = (
    *("/en/", "/en/models/", "/zh-hans/models/?n={}", "/en/models/llama-3-1-8b-instruct/?context={}"),
    *("/zh-hans/models/gpt-oss-20b/", "/en/benchmarks/", "/api/v1/models/gpt-oss-20b/memory/?context={}"),
    *("/en/accelerators/rtx-4090/", "/en/search/?q=llama&n={}", "/static/css/base.css"),
)
ORGANIZATION, SCORE = "/admin/catalog/organization/{}/change/", "/admin/catalog/score/{}/change/"


def main() -> None:
    if absent := missing("postgres", "initdb", "redis-server", "nginx"):
        print(f"not done: {', '.join(absent)} is not installed")
        return
    with TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        database, redis = stack.enter_context(PostgreSQL(folder)), stack.enter_context(Redis(folder))
        hosts = [_host(folder, number, database.url, redis.url) for number in (1, 2)]
        hosts[0].load()
        for host in hosts:
            stack.enter_context(host)
        front = stack.enter_context(Nginx(folder, *(host.port for host in hosts)))
        right = [_edits_are_seen(hosts), _ranks_run_once(hosts), _hosts_die(hosts, front.port)]
    if not all(right):
        sys.exit("not as it should be")


def _host(folder: Path, number: int, database: str, redis: str) -> Site:
    own = folder / f"host-{number}"
    own.mkdir()
    return Site(f"host-{number}", own, DATABASE_URL=database, REDIS_URL=redis, BEHIND_PROXY="1")


def _page(host: Site, path: str) -> str:
    with urlopen(f"http://127.0.0.1:{host.port}{path}", timeout=PATIENCE_S) as answer:
        body: bytes = answer.read()
    return body.decode()


def _rows(host: Site, question: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(host.environment["DATABASE_URL"]) as here:
        return here.execute(question).fetchall()


def _edits_are_seen(hosts: list[Site]) -> bool:
    """At the next request, in both directions; each page was asked for before, so that its old state is kept."""
    ((key, slug),) = _rows(hosts[0], "SELECT id, slug FROM catalog_organization WHERE slug = 'openai'")
    editors, seen = [Editor(host.port) for host in hosts], 0
    for number in range(EDITS):
        here, there = (0, 1) if number % 2 == 0 else (1, 0)
        _page(hosts[there], f"/en/organizations/{slug}/")
        status, _answer = editors[here].send(ORGANIZATION.format(key), name_en=f"Edited {number}")
        if status != 302:
            raise RuntimeError(f"{status} for an edit")
        seen += f"Edited {number}" in _page(hosts[there], f"/en/organizations/{slug}/")
    print(f"{EDITS} edits on one host: {seen} seen on the other at its next request")
    return seen == EDITS


def _ranks_run_once(hosts: list[Site]) -> bool:
    """One edit of a score, and then one on each host in the same moment: each state of a board is published once."""
    (key,), (other,) = _rows(hosts[0], "SELECT id FROM catalog_score ORDER BY model_id DESC, id DESC LIMIT 2")
    before = _releases(hosts[0])
    first, second = (Editor(host.port) for host in hosts)
    _save(first, key, "11.25")
    _until_ranked(hosts[0])
    once = _releases(hosts[0])
    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(_save, first, key, "12.5"), pool.submit(_save, second, other, "13.75")]:
            done.result()
    _until_ranked(hosts[0])
    both = _releases(hosts[0])
    new, more = once[len(before) :], both[len(once) :]
    twice = len(both) - len(set(both))
    print(
        f"one edit of a score: {len(new)} boards of {len({scope for scope, _hash in both})} ranked anew; "
        f"one on each host at once: {len(more)}; {twice} published twice for one state"
    )
    return bool(new) and not twice and len(new) == len({scope for scope, _hash in new})


def _save(editor: Editor, key: int, value: str) -> None:
    status, page = editor.send(SCORE.format(key), value=value)
    if status != 302:
        faults = re.findall(r'<ul class="errorlist.*?</ul>', page, re.DOTALL)
        raise RuntimeError(f"{status} for an edit of a score: {faults}")


def _releases(host: Site) -> list[tuple[Any, ...]]:
    return _rows(host, "SELECT scope, input_hash FROM catalog_release ORDER BY id")


def _until_ranked(host: Site) -> None:
    end = time.monotonic() + PATIENCE_S
    while _rows(host, "SELECT 1 FROM catalog_rankrequest"):
        if time.monotonic() > end:
            raise RuntimeError("ranks are still owed")
        time.sleep(0.1)


def _hosts_die(hosts: list[Site], front: int) -> bool:
    first, second = hosts
    phases: list[tuple[str, Callable[[], object]]] = [
        ("both hosts", lambda: None),
        ("first killed (-9)", first.kill),
        ("first back", first.start),
        ("second stopped (SIGTERM)", lambda: second.stop(signal.SIGTERM)),
        ("second back", second.start),
    ]
    readers = Readers(front, PATHS, fresh=READERS // 2, kept=READERS // 2, rest_s=0)
    marks = []
    with readers.reading():
        for _phase, act in phases:
            marks.append(readers.now_s())
            act()
            time.sleep(PHASE_S)
    for (phase, _act), since, until in zip(phases, marks, [*marks[1:], float("inf")], strict=True):
        part = [each for each in readers.seen if since <= each.at_s < until]
        ends = readers.ends(since, until)
        errors = sum(ends.values()) - ends["200"]
        p50, p99 = (quantile((each.took_s for each in part), which) for which in (0.5, 0.99))
        print(
            f"{phase:25} {len(part):6} requests {errors:3} errors   p50 {p50:6.1f} ms   p99 {p99:6.1f} ms"
            f"   longest {1000 * max(each.took_s for each in part):6.0f} ms"
        )
    if set(readers.ends()) != {"200"}:
        print(dict(readers.ends()))
    return set(readers.ends()) == {"200"}
