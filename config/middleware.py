"""What every response gets, whatever view made it."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from csp.constants import HEADER
from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, HttpResponseNotAllowed
from django.utils.cache import has_vary_header

from config import errors

View = Callable[[HttpRequest], HttpResponseBase]
SHARED_SECONDS = 60

DEBUG_PAGES = (
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.NOT_FOUND,
)  # Django's own, with their own styles

# A catalogue needs none of these; a script that slips into a page gets none either.
PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer",
        "browsing-topics",
        "camera",
        "display-capture",
        "geolocation",
        "gyroscope",
        "magnetometer",
        "microphone",
        "midi",
        "payment",
        "usb",
    )
)


def browser_policies(get_response: View) -> View:
    """Headers that Django does not set itself, or sets on everything.

    Two bind documents alone; on each of the many small files that a page loads they would be a good part of its weight.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if response.headers.get("Content-Type", "").startswith("text/html"):
            response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
            response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        return response

    return middleware


def content_policy(get_response: View) -> View:
    """The policy of the settings, put together once, for whatever answers: only WhiteNoise gives files their own."""
    policy = build_policy()

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if not (settings.DEBUG and response.status_code in DEBUG_PAGES):
            response.headers.setdefault(HEADER, policy)
        return response

    return middleware


def head_as_get(get_response: View) -> View:
    """Answer HEAD with the headers of GET and no body, as HTTP asks: by what is kept, and by views that name GET alone,
    as those of the API do. gunicorn warns of a body. WhiteNoise, below, does all this for files itself."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.method != "HEAD" or request.path_info.startswith(settings.STATIC_URL):
            return get_response(request)
        request.method = "GET"
        response = get_response(request)
        request.method = "HEAD"
        if response.streaming:  # nothing of it is made, and nobody knows how long it would be
            response.streaming_content = ()  # type: ignore[attr-defined]
        else:
            length = response.headers.get("Content-Length", str(len(response.content)))  # type: ignore[attr-defined]
            response.content = b""  # type: ignore[attr-defined]
            response.headers["Content-Length"] = length
        return response

    return middleware


def shared_caches(get_response: View) -> View:
    """Let a cache in front keep public answers for a minute, all of which are the same for everyone.

    A browser asks each time, and mostly hears that nothing changed: an editor sees at once what was saved. The parts
    of a page that htmx asks for depend on more of its headers than `Vary` names, so they are left out.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        personal = bool(response.cookies) or has_vary_header(response, "Cookie")
        if (
            request.method in ("GET", "HEAD")
            and response.status_code in (200, 304)
            and not personal
            and not request.headers.get("HX-Request")
        ):
            response.headers.setdefault("Cache-Control", f"public, max-age=0, s-maxage={SHARED_SECONDS}")
        return response

    return middleware


class AllowedMethods:
    """405 with what is allowed instead, and 413 for more than any form holds: before the check of tokens, which would
    call a form expired that never was.

    Pages are only read. Views that take more say so themselves, and need no token; so does the API.
    """

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            return errors.not_allowed(request, _with_head(response.headers["Allow"]))
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], *_args: object
    ) -> HttpResponseBase | None:
        if getattr(view, "csrf_exempt", False):
            return None
        editing = request.path_info.startswith(f"/{settings.ADMIN_PATH}")
        allowed = ("GET", "HEAD", "POST") if editing else ("GET", "HEAD")
        if request.method not in allowed:
            return HttpResponseNotAllowed(allowed)
        # The check of tokens would read all of it, files to the disk, whoever sent it.
        return errors.too_large(request) if _length(request) > settings.LARGEST_FORM_BYTES else None


def _with_head(allowed: str) -> str:
    """Whoever answers GET answers HEAD (`head_as_get`)."""
    methods = allowed.split(", ")
    return ", ".join([*methods, "HEAD"] if "GET" in methods and "HEAD" not in methods else methods)


def _length(request: HttpRequest) -> int:
    told: str = request.META.get("CONTENT_LENGTH") or ""
    return int(told) if told.isdecimal() else 0
