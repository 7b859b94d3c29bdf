"""What gunicorn answers to what is no request, before the site hears of it: as strict as the site's own answers."""

from __future__ import annotations

import socket

from gunicorn import util

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def write_error(sock: socket.socket, status_int: int, reason: str, mesg: str) -> None:
    """In gunicorn's place. What was wrong is said in the log alone: whoever asked knows what they sent."""
    text = f"{status_int} {reason}\n"
    told = {**HEADERS, **transport(), "Connection": "close", "Content-Type": "text/plain; charset=utf-8"}
    lines = [f"HTTP/1.1 {status_int} {reason}", *(f"{name}: {value}" for name, value in told.items())]
    util.write_nonblock(sock, "\r\n".join([*lines, f"Content-Length: {len(text)}", "", text]).encode("latin-1"))


def transport() -> dict[str, str]:
    """Where the site is one of https, as Django says it."""
    from django.conf import settings  # here: gunicorn reads its file before there are settings

    if not settings.SECURE_HSTS_SECONDS:
        return {}
    parts = [
        f"max-age={settings.SECURE_HSTS_SECONDS}",
        *(["includeSubDomains"] if settings.SECURE_HSTS_INCLUDE_SUBDOMAINS else []),
        *(["preload"] if settings.SECURE_HSTS_PRELOAD else []),
    ]
    return {"Strict-Transport-Security": "; ".join(parts)}


def install() -> None:
    """gunicorn has no setting for it."""
    util.write_error = write_error
