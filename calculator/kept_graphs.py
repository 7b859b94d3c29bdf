"""Plans of llama.cpp's graphs lie in the cache `graphs`, for all processes and the next start."""

from __future__ import annotations

from contextlib import suppress

from django.core.cache import caches

from calculator.accuracy.kept import LOADED


class KeptGraphs:
    """Under the state of the code, so that a deploy begins anew. Where nothing can be written, nothing is kept."""

    def get(self, key: str) -> object:
        with suppress(OSError):
            return caches["graphs"].get(f"{LOADED}-{key}")
        return None

    def set(self, key: str, value: object) -> None:
        with suppress(OSError):
            caches["graphs"].set(f"{LOADED}-{key}", value, timeout=None)
