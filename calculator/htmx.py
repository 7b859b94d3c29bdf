"""Telling a request for a part of a page from one for the whole."""

from __future__ import annotations

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails


class HtmxRequest(HttpRequest):
    """A request as `django_htmx.middleware.HtmxMiddleware` hands it on."""

    htmx: HtmxDetails


def wants_partial(request: HtmxRequest) -> bool:
    """Whether htmx asks for a fragment; when it restores history it needs the whole page."""
    return bool(request.htmx) and not request.htmx.history_restore_request
