"""SIGTERM and SIGHUP under readers: a restart, and a reload of settings, lose no request.

The listening socket outlives the server, as systemd's does (docs/deployment.md). Readers ask it directly, and by an
nginx with the documented file.
"""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack
from pathlib import Path

from tests.servers.daemons import Inherited, listening, program
from tests.servers.nginx import Nginx
from tests.servers.readers import Readers

AROUND_S = 0.5
PATHS = ("/en/glossary/?n={}", "/api/v1/models/?n={}", "/zh-hans/models/?n={}", "/healthz")


def restarted(site: Inherited) -> None:
    if status := site.stop(signal.SIGTERM):
        raise RuntimeError(f"it ended with {status}")
    site.start()


def reloaded(site: Inherited) -> None:
    """Its master keeps the code; each worker ends what it does and is replaced."""
    before = site.said().count("Booting worker")
    site.tell(signal.SIGHUP)
    while site.said().count("Booting worker") < before + 2:
        time.sleep(0.02)
    site.wait()


ACTS = {"SIGTERM": restarted, "SIGHUP": reloaded}


def read_through(name: str, folder: Path, paths: tuple[str, ...], *, behind_nginx: bool, load: bool = False) -> Readers:
    """What readers saw of it."""
    with listening() as server, ExitStack() as stack:
        site = Inherited(server, folder, DATABASE_URL=f"sqlite:///{folder}/site.sqlite3")
        if load:
            site.load()
        stack.enter_context(site)
        port = stack.enter_context(Nginx(folder, site.port)).port if behind_nginx else site.port
        readers = Readers(port, paths)
        with readers.reading():
            time.sleep(AROUND_S)
            ACTS[name](site)
            time.sleep(AROUND_S)
        site.stop()
    return readers


def lost(readers: Readers, *, behind_nginx: bool) -> bool:
    """A proxy asks again by itself where a kept connection was closed before an answer; other readers do so here."""
    return not set(readers.ends()) <= {"200"} | (set() if behind_nginx else {"sent again"})


def main(place: Path) -> bool:
    right = True
    for name in ACTS:
        for behind_nginx in (False, True) if program("nginx") else (False,):
            folder = place / f"{name}-{behind_nginx}"
            folder.mkdir()
            readers = read_through(name, folder, PATHS, behind_nginx=behind_nginx, load=True)
            right = right and not lost(readers, behind_nginx=behind_nginx)
            where = "behind nginx" if behind_nginx else "directly"
            print(f"{name:8} {where:13} {dict(readers.ends())}; the longest request took {readers.longest_s():.1f} s")
    return right
