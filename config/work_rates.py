"""How long one visitor may keep the processor busy. Most that is asked takes a few hundredths of a second; a file of
hundreds of layers, asked about on cards that do not hold it, takes seconds, whatever address asks so.

Time is taken where all that costs much stands below, compression included, and visitors are refused where it is known
who asks. What is kept costs nothing and is answered above both.
"""

from __future__ import annotations

from collections.abc import Iterator
from time import thread_time, time

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponseBase

from catalog.visitors import client_address
from config import errors
from config.middleware import View

MINUTE_S = 60
LONG_S = 0.05
"""An answer that takes less is not counted: an office, a load test or a proxy that nobody declared (`BEHIND_PROXY`) is
one address, and may ask for as many ordinary answers as the machine can give."""
COUNTED = "atlas.work"  # in the request's META: the key under which its time is added


def work_times(get_response: View) -> View:
    """Adds what an answer takes to what its visitor took in this minute, if `work_rates` says that it counts."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        begun = thread_time()
        try:
            response = get_response(request)
        finally:
            _add(request, thread_time() - begun)
        if response.streaming:  # most of the work is to come
            response.streaming_content = _timed(request, response.streaming_content)  # type: ignore[attr-defined]
        return response

    return middleware


def _timed(request: HttpRequest, pieces: Iterator[bytes]) -> Iterator[bytes]:
    spent = 0.0
    try:
        while True:
            begun = thread_time()
            piece = next(pieces, None)
            spent += thread_time() - begun
            if piece is None:
                return
            yield piece
    finally:
        _add(request, spent)


def _add(request: HttpRequest, seconds: float) -> None:
    """Of two answers that end at once one may not be counted: a rate, not a bill."""
    if seconds >= LONG_S and (key := request.META.get(COUNTED)):
        cache.set(key, cache.get(key, 0) + round(1000 * seconds), 2 * MINUTE_S)


def work_rates(get_response: View) -> View:
    """429 until the minute ends for an address whose long answers took `WORK_SECONDS` of processor time in it. Editors
    are not counted. Whoever becomes one is by itself, so that nobody who read long lists first is kept from logging
    in."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        visitor = client_address(request) if settings.WORK_SECONDS and not _is_editors(request) else None
        if visitor is None:
            return get_response(request)
        minute, passed = divmod(time(), MINUTE_S)
        place = "admin" if request.path_info.startswith(f"/{settings.ADMIN_PATH}") else "site"
        key = f"work:{place}:{visitor}:{minute:.0f}"
        if cache.get(key, 0) >= settings.WORK_SECONDS * 1000:
            return errors.too_many(request, errors.TOO_MUCH_WORK, int(MINUTE_S - passed) + 1)
        request.META[COUNTED] = key
        return get_response(request)

    return middleware


def _is_editors(request: HttpRequest) -> bool:
    """Asked of the session only where there is one: whatever looks at it is nobody else's to keep."""
    return settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated
