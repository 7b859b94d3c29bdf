"""A restart loses no request where the listening socket outlives it, as systemd's does (docs/deployment.md).

Real gunicorn with the product's configuration, alone and, where nginx is installed, behind it by the documented file.
`python -m tests.config.test_restart` prints what a restart cost.
"""

from __future__ import annotations

import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
Front = Callable[[int, Path], AbstractContextManager[int]]
PATH, PATIENCE_S = "/healthz", 60
ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0), backlog=512) as server:
        yield server


@contextmanager
def directly(site: int, folder: Path) -> Iterator[int]:
    yield site


def served(server: socket.socket, folder: Path) -> subprocess.Popen[bytes]:
    """gunicorn on a socket that was opened for it, passed on as systemd does (sd_listen_fds(3))."""
    unsaid = {"SECRET_KEY": "x" * 40, "DATABASE_URL": f"sqlite:///{folder}/none.sqlite3"}
    command = f"exec 3<&{server.fileno()}; LISTEN_PID=$$ LISTEN_FDS=1 exec {sys.executable} -m gunicorn"
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            ["bash", "-c", command],
            cwd=ROOT,
            env=os.environ | unsaid | {"DJANGO_SETTINGS_MODULE": "config.settings"},
            pass_fds=[server.fileno()],
            stdout=log,
            stderr=log,
        )


@contextmanager
def behind_nginx(site: int, folder: Path) -> Iterator[int]:
    """The port of an nginx with the documented configuration, less TLS."""
    with listening() as free:
        port = free.getsockname()[1]
    documented = (ROOT / "docs" / "deployment" / "nginx.conf").read_text(encoding="utf-8")
    plain = re.sub(r"server \{\s+listen 80;.*?\n\}\n", "", documented, flags=re.DOTALL)
    plain = re.sub(r" *ssl_certificate.*\n", "", plain)
    plain = plain.replace("listen 443 ssl http2", f"listen 127.0.0.1:{port}").replace(
        "127.0.0.1:8000", f"127.0.0.1:{site}"
    )
    own = "".join(f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    whole = f"daemon off; pid {folder}/nginx.pid; events {{}} http {{ access_log off; {own}\n{plain}\n}}"
    (folder / "nginx.conf").write_text(whole, encoding="utf-8")
    log = folder / "nginx.log"
    nginx = subprocess.Popen([str(NGINX), "-e", str(log), "-c", str(folder / "nginx.conf")])
    try:
        yield port
    finally:
        nginx.terminate()
        nginx.wait(PATIENCE_S)


class Readers:
    """Two with a new connection for each request; two that keep theirs, as a proxy does, which sends a request again
    only if the kept connection was closed before an answer (nginx: `proxy_next_upstream error`)."""

    def __init__(self, port: int) -> None:
        self.port, self.seen, self.longest_s, self.done = port, Counter[str](), 0.0, Event()
        self.threads = [Thread(target=self.read, args=[kept]) for kept in (False, False, True, True)]

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)

    def read(self, kept: bool) -> None:
        connection, fresh = self.connection(), True
        while not self.done.is_set():
            start = time.monotonic()
            try:
                connection.request("GET", PATH)
                answer = connection.getresponse()
                answer.read()
                self.seen[str(answer.status)] += 1
                fresh = not kept or answer.will_close
            except (OSError, http.client.HTTPException) as error:
                self.seen["sent again" if not fresh else f"lost: {type(error).__name__}"] += 1
                fresh = True
            self.longest_s = max(self.longest_s, time.monotonic() - start)
            if fresh:
                connection.close()
                connection = self.connection()
            time.sleep(0.002)
        connection.close()


def answers(port: int) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)) as connection:
        connection.request("GET", PATH)
        assert connection.getresponse().status == 200


def restarted(folder: Path, front: Front = directly) -> Readers:
    with listening() as server, front(server.getsockname()[1], folder) as port:
        first = served(server, folder)
        answers(server.getsockname()[1])
        readers = Readers(port)
        for thread in readers.threads:
            thread.start()
        time.sleep(0.5)
        first.send_signal(signal.SIGTERM)
        assert first.wait(PATIENCE_S) == 0
        second = served(server, folder)
        answers(server.getsockname()[1])
        time.sleep(0.5)
        readers.done.set()
        for thread in readers.threads:
            thread.join(PATIENCE_S)
        second.send_signal(signal.SIGTERM)
        assert second.wait(PATIENCE_S) == 0
    return readers


def test_a_restart_loses_no_request(tmp_path: Path) -> None:
    readers = restarted(tmp_path)
    assert readers.seen["200"] > 20
    assert set(readers.seen) <= {"200", "sent again"}, readers.seen


@pytest.mark.skipif(NGINX is None, reason="no nginx found")
def test_a_restart_behind_nginx_loses_no_request(tmp_path: Path) -> None:
    readers = restarted(tmp_path, behind_nginx)
    assert readers.seen["200"] > 20
    assert set(readers.seen) == {"200"}, readers.seen


if __name__ == "__main__":
    for front in (directly, behind_nginx) if NGINX else (directly,):
        with tempfile.TemporaryDirectory() as name:
            found = restarted(Path(name), front)
        print(f"{front.__name__}: {dict(found.seen)}; the longest request took {found.longest_s:.1f} s")
