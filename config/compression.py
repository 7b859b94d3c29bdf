"""Pages in Brotli, smaller than gzip's for less time; static files lie compressed already.

Compression tells an eavesdropper how alike two parts of an answer are (BREACH, breachattack.com): where one is a secret
and he chooses the other, he can guess it. Public answers hold no secret, set no cookie and carry no token, so they are
compressed as well as can be. What depends on a cookie is left to Django's GZipMiddleware, which stands above and adds
bytes of random length; the tokens in the admin's forms are masked anew in each answer besides.
"""

from __future__ import annotations

import re
from functools import lru_cache

import brotli
from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import has_vary_header, patch_vary_headers

from config.middleware import View

QUALITY = 7  # of 11; the ninth takes ten times as long for half a percent less
WINDOW = 18  # of 2 ** 18 bytes, more than a page has: what it says is that tables for 4 MB need not be cleared first
LEAST_BYTES = 200  # as GZipMiddleware
REFUSED = re.compile(r"\b(\w+)\s*;\s*q=0(?:\.0*)?(?:\s|,|$)")


def encoding(request: HttpRequest) -> str:
    """The best of what the browser takes: `br`, `gzip`, or nothing."""
    return _best(request.META.get("HTTP_ACCEPT_ENCODING", "").lower())


@lru_cache(maxsize=256)  # each browser writes it its own way
def _best(accepted: str) -> str:
    taken = set(re.findall(r"\b(br|gzip)\b", accepted)) - set(REFUSED.findall(accepted))
    return "br" if "br" in taken else "gzip" if "gzip" in taken else ""


def brotli_pages(get_response: View) -> View:
    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        pressed = response.has_header("Content-Encoding") or response.get("Content-Type", "").startswith("image/png")
        if response.streaming or pressed:
            return response
        content = response.content  # type: ignore[attr-defined]
        if response.cookies or has_vary_header(response, "Cookie") or len(content) < LEAST_BYTES:
            return response
        patch_vary_headers(response, ("Accept-Encoding",))
        if encoding(request) != "br":
            return response
        packed = brotli.compress(content, mode=brotli.MODE_TEXT, quality=QUALITY, lgwin=WINDOW)
        if len(packed) >= len(content):
            return response
        response.content = packed  # type: ignore[attr-defined]
        response.headers["Content-Length"] = str(len(packed))
        response.headers["Content-Encoding"] = "br"
        tag = response.headers.get("ETag", "")
        if tag.startswith('"'):  # other bytes of the same answer
            response.headers["ETag"] = f"W/{tag}"
        return response

    return middleware
