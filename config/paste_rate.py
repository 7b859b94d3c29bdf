"""How often one address may send pages a config or a log. What pages only show is kept; what is sent is read anew."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from catalog.visitors import Rate
from config import errors
from config.middleware import View


class PasteRate:
    """429 beyond `PASTE_RATE`. Pages that take a POST without a token are meant: the API counts by itself, and editors'
    forms are not counted."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], *_args: object
    ) -> HttpResponseBase | None:
        sent = request.method == "POST" and getattr(view, "csrf_exempt", False)
        if not sent or request.path_info.startswith(errors.API):
            return None
        rate = Rate(settings.PASTE_RATE, "paste")  # counted apart from the API's
        return None if rate.allow_request(request) else errors.too_many_pastes(request, ceil(rate.wait() or 1))
