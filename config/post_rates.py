"""How often one visitor may send what costs the site much: a config or a log, which are read anew each time, and a
password, which takes as long to check as it should take to guess. What pages only show is kept."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

from catalog.visitors import Rate
from config import errors
from config.middleware import View


class PostRates:
    """429 beyond `PASTE_RATE` and `LOGIN_RATE`. Of pages those are meant that take a POST without a token: the API
    counts by itself, and editors' other forms are not counted."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], *_args: object
    ) -> HttpResponseBase | None:
        if request.method != "POST" or request.path_info.startswith(errors.API):
            return None
        if request.path_info == reverse("admin:login"):
            rate, words = Rate(settings.LOGIN_RATE, "login"), errors.TOO_MANY_TRIES
        elif getattr(view, "csrf_exempt", False):
            rate, words = Rate(settings.PASTE_RATE, "paste"), errors.TOO_MANY_PASTES
        else:
            return None
        return None if rate.allow_request(request) else errors.too_many(request, words, ceil(rate.wait() or 1))
