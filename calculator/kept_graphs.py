"""Plans of llama.cpp's graphs, and shapes with all that is known of them, lie in the cache `graphs`, for all processes
and the next start."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from hashlib import blake2b

from django.core.cache import caches

from calculator.accuracy.kept import LOADED
from calculator.architecture import Shape


class KeptGraphs:
    """Under the state of the code, so that a deploy begins anew. Where nothing can be written, nothing is kept."""

    def get(self, key: str) -> object:
        with suppress(OSError):
            return caches["graphs"].get(f"{LOADED}-{key}")
        return None

    def set(self, key: str, value: object) -> None:
        with suppress(OSError):
            caches["graphs"].set(f"{LOADED}-{key}", value, timeout=None)


def kept_shape(config: Mapping[str, object]) -> Shape | None:
    """What `read_config` makes of it, with all that was known of the shape when it was kept."""
    found = KeptGraphs().get(_key(config))
    return found if isinstance(found, Shape) else None


def keep_shape(config: Mapping[str, object], shape: Shape) -> None:
    KeptGraphs().set(_key(config), shape)


def _key(config: Mapping[str, object]) -> str:
    """A config comes from JSON, whose `repr` tells all values apart."""
    return f"shape-{blake2b(repr(config).encode(errors='surrogatepass'), digest_size=16).hexdigest()}"
