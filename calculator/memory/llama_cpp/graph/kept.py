"""Where plans are kept that other processes need too: to follow a graph takes 2 to 300 ms, to read its plan one.

This package opens neither files nor caches. Whoever runs it may hand over a store; without one all is followed anew.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b
from typing import Protocol, TypeVar

from calculator.architecture.shape import Shape

Found = TypeVar("Found")


class Store(Protocol):
    """Takes what can be pickled. What it does not have is None."""

    def get(self, key: str) -> object: ...

    def set(self, key: str, value: object) -> None: ...


_stores: list[Store] = []


def keep_in(store: Store | None) -> None:
    """From now on, what was followed is kept there. None: nowhere."""
    _stores[:] = [store] if store else []


def kept(shape: Shape, question: tuple[object, ...], follow: Callable[[], Found]) -> Found:
    """The answer to a question about a shape, which `repr` tells from all others."""
    if not _stores:
        return follow()
    found: Found | None = _stores[0].get(_key(shape, question))  # type: ignore[assignment]  # as it was set
    if found is None:
        found = follow()
        keep(shape, question, found)
    return found


def keep(shape: Shape, question: tuple[object, ...], found: object) -> None:
    """The answer from now on."""
    for store in _stores:
        store.set(_key(shape, question), found)


def _key(shape: Shape, question: tuple[object, ...]) -> str:
    return f"{_digest(shape)}-{blake2b(repr(question).encode(), digest_size=16).hexdigest()}"


@lru_cache(maxsize=1024)
def _digest(shape: Shape) -> str:
    """Names all that a shape consists of."""
    return blake2b(repr(shape).encode(), digest_size=16).hexdigest()
