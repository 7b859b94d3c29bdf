"""A cache of this process that ends at so many bytes, too: an answer to a program that takes no Brotli is ten times as
long."""

from __future__ import annotations

from collections import Counter
from math import inf
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache

_held: Counter[str] = Counter()  # bytes under the name of each, which all threads share


class InMemory(LocMemCache):
    """`OPTIONS` may hold `MOST_BYTES` beside `MAX_ENTRIES`. What was not asked for longest goes first."""

    _cache: dict[str, bytes]

    def __init__(self, name: str, params: dict[str, Any]) -> None:
        super().__init__(name, params)
        self._name, self._most_bytes = name, params.get("OPTIONS", {}).get("MOST_BYTES", inf)

    def _set(self, key: str, value: bytes, timeout: Any = DEFAULT_TIMEOUT) -> None:
        if key in self._cache:
            self._delete(key)
        super()._set(key, value, timeout)  # type: ignore[misc]  # and culls before, where there are too many
        _held[self._name] += len(value)
        while _held[self._name] > self._most_bytes and self._cache:
            self._delete(next(reversed(self._cache)))

    def _delete(self, key: str) -> bool:
        _held[self._name] -= len(self._cache.get(key, b""))
        return bool(super()._delete(key))  # type: ignore[misc]

    def _cull(self) -> None:
        super()._cull()  # type: ignore[misc]
        _held[self._name] = sum(map(len, self._cache.values()))

    def clear(self) -> None:
        super().clear()
        _held[self._name] = 0
