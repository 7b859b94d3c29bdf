"""Static files as collected: without what only their authors read, then hashed and compressed by WhiteNoise."""

from __future__ import annotations

from typing import IO, Any

from django.core.files.base import ContentFile
from whitenoise.storage import CompressedManifestStaticFilesStorage

KINDS = {"css": "text/css", "js": "text/javascript"}


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
