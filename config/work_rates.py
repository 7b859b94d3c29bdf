"""How long one visitor may keep the processor busy. Most that is asked takes a few hundredths of a second; a file of
hundreds of layers, asked about on cards that do not hold it, takes seconds, whatever address asks so."""

from __future__ import annotations

from time import thread_time, time

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponseBase

from catalog.visitors import client_address
from config import errors
from config.middleware import View

MINUTE_S = 60
LONG_S = 0.2
"""An answer that takes less is not counted: an office, a load test or a proxy that nobody declared (`BEHIND_PROXY`) is
one address, and may ask for as many ordinary answers as the machine can give."""


def work_rates(get_response: View) -> View:
    """429 until the minute ends for an address whose long answers took `WORK_SECONDS` of processor time in it. What is
    kept costs nothing and is answered above; editors are not counted, nor is whoever becomes one (`LOGIN_RATE`)."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        visitor = client_address(request) if settings.WORK_SECONDS and not _is_editors(request) else None
        if visitor is None:
            return get_response(request)
        minute, passed = divmod(time(), MINUTE_S)
        key = f"work:{visitor}:{minute:.0f}"
        if cache.get(key, 0) >= settings.WORK_SECONDS * 1000:
            return errors.too_many(request, errors.TOO_MUCH_WORK, int(MINUTE_S - passed) + 1)
        begun = thread_time()
        try:
            return get_response(request)
        finally:
            if (took_s := thread_time() - begun) >= LONG_S:
                # Two that end at once may be counted as one: a rate, not a bill.
                cache.set(key, cache.get(key, 0) + round(1000 * took_s), 2 * MINUTE_S)

    return middleware


def _is_editors(request: HttpRequest) -> bool:
    """Asked of the session only where there is one: whatever looks at it is nobody else's to keep."""
    if request.path_info.startswith(f"/{settings.ADMIN_PATH}"):
        return True
    return settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated
