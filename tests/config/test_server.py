"""What gunicorn's workers start beside themselves ends with them, and what gunicorn itself believes of a visitor."""

from __future__ import annotations

import json
import socket
import sys
from http.cookies import SimpleCookie
from pathlib import Path
from subprocess import Popen
from threading import Thread

import pytest
from gunicorn.config import Config
from gunicorn.http.message import Request
from gunicorn.http.unreader import IterUnreader

from config import server
from tests.config import observatory
from tests.servers.daemons import Site


def test_warming_up_ends_with_its_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Popen[bytes]] = []
    monkeypatch.setattr(server, "_warming", started)
    monkeypatch.setattr(server, "WARM_UP", [sys.executable, "-c", "import time; time.sleep(600)"])
    beside = Thread(target=server._warm_up)
    beside.start()
    while not started:
        beside.join(0.01)
        assert beside.is_alive()
    server.worker_exit(None, None)
    beside.join(30)
    assert started[0].returncode != 0
    server.worker_exit(None, None)  # as a worker does whose warming up has ended long ago


@pytest.mark.parametrize(
    "header",
    [
        "SCRIPT_NAME: /elsewhere",
        "PATH_INFO: /elsewhere",
        "X_Forwarded_For: 192.0.2.1",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Protocol: ssl",
        "X-Forwarded-Ssl: on\r\nX-Forwarded-Proto: http",
    ],
)
def test_what_a_proxy_passes_on_is_not_believed(header: str) -> None:
    """Asked from this machine, as by any proxy on it. Whether https is meant, Django reads (`BEHIND_PROXY`)."""
    settings = Config()
    for name, value in vars(server).items():
        if name in settings.settings:
            settings.set(name, value)
    sent = f"GET /en/ HTTP/1.1\r\nHost: localhost\r\n{header}\r\n\r\n".encode()
    request = Request(settings, IterUnreader([sent]), ("127.0.0.1", 50000))
    assert request.scheme == "http"
    assert not [name for name, _value in request.headers if "_" in name]


@pytest.mark.parametrize("asked", ["json", "line"])
def test_the_server_s_own_lines_are_written_as_the_site_s(asked: str, tmp_path: Path) -> None:
    """What collects logs reads each line as an object, or none."""
    site = Site("site", tmp_path, DATABASE_URL=f"sqlite:///{tmp_path}/none.sqlite3", LOG_FORMAT=asked)
    with site:
        with socket.create_connection(("127.0.0.1", site.port)) as here:
            here.sendall(b"none\r\n\r\n")
            here.recv(64)
        assert site.stop() == 0
    said = [line for line in site.said().splitlines() if line.strip()]
    lines = [line for line in said if not line.startswith("  ")]  # less the greeting, which people read
    assert (lines == said) == (asked == "json")
    [refused] = [line for line in lines if "Invalid request" in line]
    objects = [line for line in lines if line.startswith("{")]
    assert objects == (lines if asked == "json" else [])
    if asked == "json":
        assert {json.loads(line)["logger"] for line in lines} >= {"gunicorn.error"}
        assert json.loads(refused)["level"] == "WARNING"


PUBLIC = {"HTTPS": "1", "HSTS_INCLUDE_SUBDOMAINS": "1", "HSTS_PRELOAD": "1"}
NO_REQUESTS = {
    b"none\r\n\r\n": 400,
    b"GET / HTTP/9.9\r\n\r\n": 400,
    b"GET /?" + b"x" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n": 414,
    b"GET / HTTP/1.1\r\n" + b"X: 1\r\n" * 200 + b"\r\n": 431,
    b"GET / HTTP/1.1\r\nCookie: " + b"x" * 20_000 + b"\r\n\r\n": 431,
    b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n": 400,
    b"POST / HTTP/1.1\r\nExpect: luck\r\nContent-Length: 1\r\n\r\nx": 417,
}


def test_what_the_server_answers_itself_is_as_strict_as_the_site(tmp_path: Path) -> None:
    """135 points, and not a word of what was sent."""
    site = Site("site", tmp_path, None, DATABASE_URL=f"sqlite:///{tmp_path}/none.sqlite3", **PUBLIC)
    with site:
        for sent, status in NO_REQUESTS.items():
            answer = observatory.answered(site.port, sent)
            assert (answer.status, observatory.score(answer.headers, SimpleCookie())) == (status, 135), sent[:60]
            assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
