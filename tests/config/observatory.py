"""The rules of the MDN HTTP Observatory, as its `src/grader/charts.js` counts and `src/analyzer/tests/*.js` tell them
(mdn/mdn-http-observatory). Who keeps to a rule gets its points; whoever breaks one loses more than these rules say, so
here it loses all: a site that breaks any is not what this one is. Redirections are tested apart.
"""

from __future__ import annotations

import re
import socket
from http.cookies import SimpleCookie
from typing import NamedTuple

BEGIN = 100
HALF_A_YEAR, A_YEAR = 15_768_000, 31_536_000
PRIVATE = {"no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"}
BROAD = {"ftp:", "http:", "https:", "*", "http://*", "http://*.*", "https://*", "https://*.*"}
UNSAFE = BROAD | {"'unsafe-inline'", "'unsafe-eval'", "data:"}


class BrokenRuleError(AssertionError):
    """A rule whose breach costs points."""


def policy(header: str) -> dict[str, set[str]]:
    parts = [part.split() for part in header.split(";") if part.strip()]
    found = {name: set(sources) for name, *sources in parts}
    if not found or len(found) != len(parts):
        raise BrokenRuleError(f"no policy, or a directive twice: {header!r}")
    return found


def content_security_policy(headers: dict[str, str]) -> int:
    """csp.js: nothing unsafe in scripts, styles and objects, and 10 for `default-src 'none'`."""
    found = policy(headers.get("Content-Security-Policy", ""))
    default = found.get("default-src", {"*"})
    for kind in ("script-src", "style-src", "object-src", "img-src", "media-src"):
        if found.get(kind, default) & UNSAFE:
            raise BrokenRuleError(f"{kind} takes {found.get(kind, default)}")
    return 10 if default == {"'none'"} else 5


def frames(headers: dict[str, str]) -> int:
    """x-frame-options.js: the policy's `frame-ancestors` counts, the older header alone does not."""
    if "frame-ancestors" in policy(headers.get("Content-Security-Policy", "")):
        return 5
    if headers.get("X-Frame-Options", "").upper() not in {"DENY", "SAMEORIGIN"}:
        raise BrokenRuleError("can be framed")
    return 0


def transport(headers: dict[str, str]) -> int:
    """strict-transport-security.js: 5 for a site on the browsers' list, which takes only what says all three."""
    told = {part.strip().lower() for part in headers.get("Strict-Transport-Security", "").split(";")}
    age = max((int(part[8:]) for part in told if re.fullmatch(r"max-age=\d+", part)), default=0)
    if age < HALF_A_YEAR:
        raise BrokenRuleError(f"https for {age} s")
    return 5 if age >= A_YEAR and {"includesubdomains", "preload"} <= told else 0


def cookies(found: SimpleCookie) -> int:
    """cookies.js: all Secure, those of a session HttpOnly, and 5 where SameSite is said, too."""
    for name, cookie in found.items():
        session = any(part in name.lower() for part in ("sess", "login", "csrf", "token"))
        if not cookie["secure"] or (session and not cookie["httponly"]):
            raise BrokenRuleError(f"cookie {name}")
    return 5 if found and all(cookie["samesite"] in {"Strict", "Lax"} for cookie in found.values()) else 0


def scripts(body: str) -> int:
    """subresource-integrity.js: no script of another host; those of the own need no sum."""
    for source in re.findall(r"""<script\b[^>]*\bsrc=["']?([^"' >]+)""", body):
        if re.match(r"\w+:|//", source):
            raise BrokenRuleError(f"a script from {source}")
    return 0


def score(headers: dict[str, str], found: SimpleCookie, body: str = "") -> int:
    if headers.get("X-Content-Type-Options", "").lower() != "nosniff":
        raise BrokenRuleError("kinds are guessed")
    if "Access-Control-Allow-Origin" in headers:
        raise BrokenRuleError("read by scripts of other sites")
    return sum(
        (
            BEGIN,
            content_security_policy(headers),
            frames(headers),
            transport(headers),
            cookies(found),
            scripts(body),
            5 if headers.get("Referrer-Policy") in PRIVATE else 0,
            10 if headers.get("Cross-Origin-Resource-Policy") in {"same-origin", "same-site"} else 0,
        )
    )


class Answered(NamedTuple):
    status: int
    headers: dict[str, str]


def answered(port: int, sent: bytes) -> Answered:
    """What stands above the body of a server's answer; it may be to what is no request. None stands twice."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as here:
        here.sendall(sent)
        read = b""
        while b"\r\n\r\n" not in read and (more := here.recv(65536)):
            read += more
    first, *lines = read.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    headers: dict[str, str] = {}
    for name, _colon, value in (line.partition(":") for line in lines):
        if name in headers:
            raise BrokenRuleError(f"{name} twice")
        headers[name] = value.strip()
    return Answered(int(first.split()[1]), headers)
