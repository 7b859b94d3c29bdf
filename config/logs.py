"""What is written to the log: a line for people or, with LOG_FORMAT=json, an object for what collects logs."""

from __future__ import annotations

import json
import logging
import re
from contextvars import ContextVar
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING
from uuid import uuid4

from django.conf import settings

from config.outages import could_not_connect, in_a_line

if TYPE_CHECKING:  # gunicorn reads this module before there are settings
    from django.http import HttpRequest, HttpResponseBase

    from config.middleware import View

HEADER = "X-Request-ID"
A_PROXYS = re.compile(r"[A-Za-z0-9_-]{1,64}")
NAMED = "atlas.request_id"
_request_id: ContextVar[str] = ContextVar("request_id", default="-")


def request_ids(get_response: View) -> View:
    """Name each request in all that is logged for it, and to whoever asked. A trusted proxy may have named it."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get(HEADER, "") if settings.BEHIND_PROXY else ""
        name = given if A_PROXYS.fullmatch(given) else uuid4().hex
        token = _request_id.set(name)
        request.META[NAMED] = name  # Django logs 4xx and 5xx once all middleware has ended
        try:
            response = get_response(request)
        finally:
            _request_id.reset(token)
        if not request.path.startswith(settings.STATIC_URL):  # which a page loads many of, and none of them fails
            response.headers[HEADER] = name
        return response

    return middleware


class OfRequest(logging.Filter):
    """Names the request. One that was refused (403, an unknown host) is no fault of the code: it gets no traceback, and
    is no error, which Django calls whatever some program asks by a name that the site does not have. Where the database
    cannot be opened (503) each request says in a line why, as a traceback for each would fill a disk meanwhile. Any
    other 503 keeps its own: it may be a lock, or what was asked."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)  # a socket, in what servers for development log
        record.request_id = getattr(request, "META", {}).get(NAMED) or _request_id.get()
        status = getattr(record, "status_code", 500)
        error = record.exc_info[1] if record.exc_info else None
        if status == HTTPStatus.SERVICE_UNAVAILABLE and could_not_connect(error):
            record.msg, record.args = f"{record.getMessage()}: {in_a_line(error)}", ()
            record.exc_info = record.exc_text = None
        if status < HTTPStatus.INTERNAL_SERVER_ERROR:
            record.exc_info = record.exc_text = None
            if record.levelno > logging.WARNING:
                record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


class Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        said = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": getattr(record, "request_id", "-"),
        }
        if status := getattr(record, "status_code", None):
            said["status"] = status
        if record.exc_info:
            said["traceback"] = self.formatException(record.exc_info)
        return json.dumps(said, ensure_ascii=False)
