"""What follows from a shape alone is worked out once, and lies with it: whoever keeps a shape keeps that, too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import TypeVar, TypeVarTuple, Unpack, cast

from calculator.architecture.shape import Shape

Few = TypeVarTuple("Few")
Found = TypeVar("Found")

_learning: list[Shape] = []


def of_shape(follow: Callable[[Shape, Unpack[Few]], Found]) -> Callable[[Shape, Unpack[Few]], Found]:
    """Keep what `follow` says of a shape, for each of the few values that it is asked with by position.

    For what can be pickled and is small, since it stays as long as its shape.
    """
    name = f"{follow.__module__}.{follow.__qualname__}"

    @wraps(follow)
    def known(shape: Shape, *few: *Few) -> Found:
        try:
            return shape.known[name, *few]  # type: ignore[return-value]  # as it was put there
        except KeyError:
            pass
        found = shape.known[name, *few] = follow(shape, *few)
        return found

    return known


@contextmanager
def learned(shape: Shape) -> Iterator[None]:
    """What is asked of a shape within, and was not before, is known of it from then on."""
    _learning.append(shape)
    try:
        yield
    finally:
        _learning.remove(shape)


def is_learned(shape: Shape) -> bool:
    return shape in _learning


def known_if_learned(shape: Shape, question: tuple[object, ...], follow: Callable[[], Found]) -> Found:
    """The answer to one of many questions about a shape, of which only those asked within `learned` are kept.

    Of both, what can be pickled and is small; a question must say the same in another process.
    """
    if question in shape.known:
        return cast(Found, shape.known[question])
    found = follow()
    if is_learned(shape):
        shape.known[question] = found
    return found
