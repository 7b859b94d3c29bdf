"""Plans of llama.cpp's graphs lie in the cache `graphs`, shapes with all that is known of them in `shapes`, for all
processes and the next start. Both under the state of the code, so that a deploy begins anew."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from hashlib import blake2b

from django.core.cache import caches

from calculator.accuracy.kept import LOADED
from calculator.architecture import Shape, read_config


class KeptGraphs:
    """Where nothing can be written, nothing is kept."""

    def get(self, key: str) -> object:
        return _get("graphs", key)

    def set(self, key: str, value: object) -> None:
        _set("graphs", key, value)


def kept_shape(config: Mapping[str, object]) -> Shape | None:
    """What `read_config` makes of it, with all that was known of the shape when it was kept. Its large parts lie in a
    file of their own: a page of cards reads dozens of shapes, and asks none of them for any."""
    key = _key(config)
    found = _get("shapes", key)
    return found.with_parts(lambda: _parts(key, config)) if isinstance(found, Shape) else None


def keep_shape(config: Mapping[str, object], shape: Shape) -> None:
    key = _key(config)
    _set("shapes", _of_parts(key), shape.parts())
    _set("shapes", key, shape.without_parts())


def _parts(key: str, config: Mapping[str, object]) -> Mapping[str, bytes]:
    """As they were kept; where their file is gone, as the config says it, with nothing learned."""
    found = _get("shapes", _of_parts(key))
    return found if isinstance(found, dict) else read_config(config).parts()


def _of_parts(key: str) -> str:
    return f"{key}-parts"


def _get(cache: str, key: str) -> object:
    with suppress(OSError):
        return caches[cache].get(f"{LOADED}-{key}")
    return None


def _set(cache: str, key: str, value: object) -> None:
    with suppress(OSError):
        caches[cache].set(f"{LOADED}-{key}", value, timeout=None)


def _key(config: Mapping[str, object]) -> str:
    """A config comes from JSON, whose `repr` tells all values apart."""
    return blake2b(repr(config).encode(errors="surrogatepass"), digest_size=16).hexdigest()
