"""Public answers are kept: what was asked before costs no query, no form and no template.

An answer is a pure function of its address, its language, the release of the code and the version of the data, and of
the few headers that say which part of a page is wanted. All of these make its key, which is its ETag too: a deploy or
an edit changes it, in every process and at the next request, so nothing has to be thrown away. Kept in the cache
`answers`: in each process, or in Redis where it is configured. Nobody who is logged in is answered from here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from django.conf import settings
from django.core.cache import caches
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotModified
from django.utils.cache import has_vary_header, patch_vary_headers
from django.utils.http import parse_etags
from django.utils.translation import get_language_from_path

from catalog import versions
from catalog.models import DataChange
from config.compression import encoding
from config.middleware import View

PARTS_OF_A_PAGE = ("HX-Request", "HX-Target", "HX-Trigger-Name", "HX-History-Restore-Request")
LARGEST_BYTES = 2**20


def kept_answers(get_response: View) -> View:
    cache = caches["answers"]
    making = _OneAtATime()

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if not _may_be_kept(request) or not _is_ours(request):
            return get_response(request)
        with DataChange.pinned() as version:
            return answer(request, _key(request, version))

    def answer(request: HttpRequest, key: str) -> HttpResponseBase:
        tag = f'W/"{key}"'
        if tag in parse_etags(request.headers.get("If-None-Match", "")):  # only an answer of 200 was given it
            response: HttpResponseBase = HttpResponseNotModified(headers={"ETag": tag})
            _vary(request, response)
            return response
        with making(key):
            if kept := cache.get(key):
                headers, content = kept
                return HttpResponse(content, headers=headers)
            response = get_response(request)
            if isinstance(response, HttpResponse) and _is_public(response):
                response.headers["ETag"] = tag
                _vary(request, response)
                cache.set(key, (dict(response.headers), response.content), versions.SECONDS)
            return response

    return middleware


class _OneAtATime:
    """Whoever asks for what is being made already waits for it, in this process."""

    def __init__(self) -> None:
        self._guard = Lock()
        self._made: dict[str, tuple[Lock, list[None]]] = {}

    @contextmanager
    def __call__(self, key: str) -> Iterator[None]:
        with self._guard:
            lock, askers = self._made.setdefault(key, (Lock(), []))
            askers.append(None)
        try:
            with lock:
                yield
        finally:
            with self._guard:
                askers.pop()
                if not askers:
                    del self._made[key]


def _may_be_kept(request: HttpRequest) -> bool:
    return (
        request.method == "GET"
        and not settings.DEBUG  # a template that is being written is seen at once
        and not request.path_info.startswith(f"/{settings.ADMIN_PATH}")
        and not any(name in request.COOKIES for name in (settings.SESSION_COOKIE_NAME, settings.MESSAGES_COOKIE_NAME))
    )


def _is_ours(request: HttpRequest) -> bool:
    """A name that is not is refused below, by an answer with all its headers, before anything is asked for it."""
    try:
        return bool(request.get_host())
    except DisallowedHost:
        return False


def _is_public(response: HttpResponse) -> bool:
    return (
        response.status_code == 200
        and not response.cookies
        and not has_vary_header(response, "Cookie")
        and len(response.content) <= LARGEST_BYTES
    )


def _key(request: HttpRequest, version: str) -> str:
    names = PARTS_OF_A_PAGE if _says_its_language(request) else (*PARTS_OF_A_PAGE, "Accept-Language")
    asked = (request.headers.get(name, "") for name in names)
    address = (request.scheme, request.get_host(), request.get_full_path())
    return versions.key("answer", version, *address, encoding(request), *asked)


def _says_its_language(request: HttpRequest) -> bool:
    """An address that does not may be answered in one of the browser's."""
    return bool(get_language_from_path(request.path_info))


def _vary(request: HttpRequest, response: HttpResponseBase) -> None:
    names = ("HX-Request",) if _says_its_language(request) else ("Accept-Language",)
    patch_vary_headers(response, ("Accept-Encoding", *names))
