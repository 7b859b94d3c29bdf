"""Static files as collected: without what only their authors read, then hashed and compressed by WhiteNoise."""

from __future__ import annotations

from typing import IO, Any
from wsgiref.headers import Headers

from django.core.files.base import ContentFile
from whitenoise.storage import CompressedManifestStaticFilesStorage

# Of a file that is opened by itself: what a page loads has the page's policy. Short, for all files of a page bear it.
POLICY = "default-src 'none';frame-ancestors 'none'"
KINDS = {"css": "text/css", "js": "text/javascript"}


def policies(headers: Headers, path: str, url: str) -> None:
    """WhiteNoise's WHITENOISE_ADD_HEADERS_FUNCTION."""
    headers["Content-Security-Policy"] = POLICY


def minified(name: str, content: bytes) -> bytes:
    """A sheet or script without comments and spaces; any other file, and one that is minified, as it is.

    ValueError, with the place, where it cannot be parsed.
    """
    kind = KINDS.get(name.rpartition(".")[2])
    if kind is None or ".min." in name:
        return content
    import minify  # brings a runtime of its own, which no server needs

    return minify.string(kind, content.decode()).encode()


class MinifiedStaticFilesStorage(CompressedManifestStaticFilesStorage):
    def _save(self, name: str, content: IO[Any]) -> str:
        """`collectstatic` puts each file here as it is named, and again under its name with a hash."""
        content.seek(0)  # it was read for the hash
        return super()._save(name, ContentFile(minified(name, content.read())))
