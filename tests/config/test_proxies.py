"""The documented proxies keep from the site what would fill its threads or confuse it."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from contextlib import ExitStack
from http.cookies import SimpleCookie
from pathlib import Path

import pytest

from tests.config import observatory
from tests.servers.caddy import Caddy
from tests.servers.daemons import Site, free_port, program
from tests.servers.nginx import Nginx

OWN = "X-Request-ID: of-a-visitor"
JSON = "Content-Type: application/json"
AT_ONCE = 32  # docs/deployment/nginx.conf
SLOW = 12  # more than the 2 x 4 threads that a site has by itself
PROXIES: dict[str, Callable[[Path, int], Nginx | Caddy]] = {"nginx": Nginx, "caddy": Caddy}


@pytest.mark.parametrize("name", PROXIES)
def test_slow_visitors_keep_nobody_waiting(name: str, tmp_path: Path) -> None:
    if program(name) is None:
        pytest.skip(f"no {name} found")
    site = Site(
        "site", tmp_path, DATABASE_URL=f"sqlite:///{tmp_path}/none.sqlite3", ALLOWED_HOSTS="127.0.0.1", BEHIND_PROXY="1"
    )
    with ExitStack() as stack:
        stack.enter_context(site)
        proxy = PROXIES[name](tmp_path, site.port)
        stack.enter_context(proxy)
        port = proxy.port
        for _slow in range(SLOW):
            begun = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            begun.sendall(head("POST", "/api/v1/memory/", JSON, "Content-Length: 2000") + b"{")
        assert asked(port, "/healthz").startswith("HTTP/1.1 200")
        assert asked(port, "/healthz", "SCRIPT_NAME: /x").startswith("HTTP/1.1 200")
        assert asked(port, "/metrics").startswith("HTTP/1.1 404")
        names = [re.search(r"(?i)^x-request-id: (\S+)", asked(port, "/healthz", OWN), re.MULTILINE) for _turn in "12"]
        assert len({each[1] for each in names if each} - {OWN.partition(": ")[2]}) == 2


@pytest.mark.skipif(program("nginx") is None, reason="no nginx found")
@pytest.mark.parametrize(
    ("addresses", "status"),
    [
        ("192.0.2.1", "429"),
        ("2001:db8:1:2::{:x}", "429"),  # RFC 6177: one customer's
        ("2001:db8:1:{:x}::1", "502"),  # as many customers
        ("192.0.2.{}", "502"),
    ],
)
def test_one_visitor_asks_so_much_at_once(addresses: str, status: str, tmp_path: Path) -> None:
    """What asked before waits for its body, in nginx. The site that would answer is not there."""
    told = "set_real_ip_from 127.0.0.1; real_ip_header X-Real-IP;"
    with ExitStack() as stack:
        port = stack.enter_context(Nginx(tmp_path, free_port(), more=told)).port
        for number in range(1, AT_ONCE + 1):
            begun = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            begun.sendall(head("POST", "/", "Content-Length: 9", f"X-Real-IP: {addresses.format(number)}") + b"x")
        last = f"X-Real-IP: {addresses.format(AT_ONCE + 1)}"
        assert asked(port, "/", last).startswith(f"HTTP/1.1 {status}")


@pytest.mark.skipif(program("nginx") is None, reason="no nginx found")
def test_what_nginx_answers_itself_is_as_strict_as_the_site(tmp_path: Path) -> None:
    """All but the two words of HSTS that only the owner of a domain may say (5 points), once its line is taken in. The
    site is not there."""
    refused = {
        head("GET", "/"): 502,
        head("GET", "/metrics"): 404,
        head("GET", f"/?{'x' * 9000}"): 414,
        head("POST", "/", f"Content-Length: {17 * 2**20}"): 413,
        head("GET", "/", f"Cookie: {'x' * 40_000}"): 400,
        head("POST", "/", "Content-Length: 1", "Transfer-Encoding: chunked"): 400,
        head("TRACE", "/"): 405,
        b"none\r\n\r\n": 400,
    }
    with Nginx(tmp_path, free_port(), own_transport=True) as nginx:
        for sent, status in refused.items():
            answer = observatory.answered(nginx.port, sent)
            assert (answer.status, observatory.score(answer.headers, SimpleCookie())) == (status, 130), sent[:60]
            assert answer.headers["Server"] == "nginx"


@pytest.mark.skipif(program("nginx") is None, reason="no nginx found")
@pytest.mark.parametrize("own", [None, "max-age=31536000"])
@pytest.mark.parametrize(("seconds", "said"), [("0", None), ("300", "max-age=300")])
def test_for_how_long_https_is_asked_for_is_the_operators_to_say(
    seconds: str, said: str | None, own: str | None, tmp_path: Path
) -> None:
    """A browser that heard of a year could not be told otherwise by a site that has lost its https."""
    site = Site(
        "site",
        tmp_path,
        DATABASE_URL=f"sqlite:///{tmp_path}/none.sqlite3",
        ALLOWED_HOSTS="127.0.0.1",
        HTTPS="1",
        BEHIND_PROXY="1",
        HSTS_SECONDS=seconds,
    )
    with site, Nginx(tmp_path, site.port, scheme="https", own_transport=own is not None) as nginx:
        for path, status, transport in (("/healthz", 200, said), ("/metrics", 404, own)):
            answer = observatory.answered(nginx.port, head("GET", path))
            assert (answer.status, answer.headers.get("Strict-Transport-Security")) == (status, transport)


@pytest.mark.skipif(program("nginx") is None, reason="no nginx found")
def test_what_the_site_says_stands_once(tmp_path: Path) -> None:
    site = Site("site", tmp_path, DATABASE_URL=f"sqlite:///{tmp_path}/none.sqlite3", ALLOWED_HOSTS="127.0.0.1")
    with site, Nginx(tmp_path, site.port) as nginx:
        answer = observatory.answered(nginx.port, head("GET", "/healthz"))
        assert answer.status == 200
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]


def asked(port: int, path: str, *headers: str) -> str:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as here:
        here.sendall(head("GET", path, "Connection: close", *headers))
        return here.recv(4096).decode("latin-1")


def head(method: str, path: str, *headers: str) -> bytes:
    return "\r\n".join((f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *headers, "", "")).encode()
