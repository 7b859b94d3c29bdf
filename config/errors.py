"""Error pages in the reader's language.

404 and 403 stand in the site's frame. The others are answered when the host, the database or a context processor may be
what is broken, so `error_bare.html` uses none of them. Below the API's address all of them are JSON.
"""

from __future__ import annotations

import sys
from typing import NamedTuple

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template import loader
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext


class Words(NamedTuple):
    status: int
    heading: Promise
    explanation: Promise | str


BAD_REQUEST = Words(400, _("Bad request"), _("The site could not make sense of this request."))
CSRF = Words(
    403,
    _("This form has expired"),
    _("Go back, load the page again and send the form once more. Cookies must be allowed for editing."),
)
FORBIDDEN = Words(403, _("Not allowed"), _("This page is for editors with the right to see it."))
NOT_FOUND = Words(
    404,
    _("Page not found"),
    _("There is no page at this address. A model may have been renamed: search finds it by any of its names."),
)
SERVER_ERROR = Words(
    500,
    _("Something broke here"),
    _("The fault is ours and has been logged. Please try again in a minute."),
)
UNAVAILABLE = Words(
    503,
    _("Not available at the moment"),
    _("The site's database does not answer. Please try again in a minute."),
)
NOT_ALLOWED = Words(405, _("Method not allowed"), _("This address does not take requests of this kind."))
TOO_LARGE = Words(413, _("Too large"), _("The site does not take this much at once."))
TOO_MANY_LOGINS = Words(
    429,
    _("Too many wrong passwords"),
    _("This account cannot be logged into from here for a quarter of an hour. From elsewhere it can."),
)
TOO_MANY_PASTES = Words(
    429,
    _("Too many at once"),
    _("This address has sent too many configs or logs."),
)
TOO_MANY_TRIES = Words(
    429,
    _("Too many at once"),
    _("There were too many attempts to log in from this address."),
)
TOO_MUCH_WORK = Words(
    429,
    _("Too many at once"),
    _("What this address asked for takes long to compute."),
)
API = "/api/"
RETRY_AFTER_S = 10


def _framed(request: HttpRequest, words: Words) -> HttpResponse:
    if request.path_info.startswith(API):
        return _json(words)
    return render(request, "error.html", words._asdict(), status=words.status)


def _bare(request: HttpRequest, words: Words, seconds: int | None = None) -> HttpResponse:
    # The failure may lie before LocaleMiddleware, and the thread may still have the last request's language.
    with translation.override(translation.get_language_from_request(request, check_path=True)):
        if seconds is not None:
            words = words._replace(explanation=_later(str(words.explanation), seconds))
        if request.path_info.startswith(API):
            return _json(words)
        return HttpResponse(loader.render_to_string("error_bare.html", words._asdict()), status=words.status)


def _later(refused: str, seconds: int) -> str:
    """Why, and when not any more: a reader sees no headers, and the panel shows this in place of an answer."""
    told = ngettext(
        "%(refused)s Please try again in %(seconds)s second.",
        "%(refused)s Please try again in %(seconds)s seconds.",
        seconds,
    )
    return told % {"refused": refused, "seconds": seconds}


def _json(words: Words) -> HttpResponse:
    """As `catalog.api.schemas.Problem`."""
    return JsonResponse({"detail": str(words.explanation), "errors": {}}, status=words.status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _bare(request, BAD_REQUEST)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _bare(request, CSRF)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _framed(request, FORBIDDEN)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _framed(request, NOT_FOUND)


def too_many_logins(request: HttpRequest, seconds: int) -> HttpResponse:
    answer = _framed(request, TOO_MANY_LOGINS)
    answer.headers["Retry-After"] = str(seconds)
    return answer


def too_many(request: HttpRequest, words: Words, seconds: int) -> HttpResponse:
    answer = _bare(request, words, seconds)
    answer.headers["Retry-After"] = str(seconds)
    return answer


def server_error(request: HttpRequest) -> HttpResponse:
    """Called while the exception is handled. A database that is gone is back after a while, and is no fault of ours."""
    if not isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        return _bare(request, SERVER_ERROR)
    answer = _bare(request, UNAVAILABLE)
    answer.headers["Retry-After"] = str(RETRY_AFTER_S)
    return answer


def too_large(request: HttpRequest) -> HttpResponse:
    return _bare(request, TOO_LARGE)


def not_allowed(request: HttpRequest, allowed: str) -> HttpResponse:
    answer = _bare(request, NOT_ALLOWED)
    answer.headers["Allow"] = allowed
    return answer
