"""What follows from a shape alone is worked out once, and lies with it: whoever keeps a shape keeps that, too.

What is small (`known`) is read with a shape, what is large (`learned`) apart, when somebody first asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import _lru_cache_wrapper, lru_cache, wraps
from typing import TypeVar, TypeVarTuple, Unpack, cast

from calculator.architecture.packing import answer_in, in_groups, unpacked
from calculator.architecture.shape import Shape

Few = TypeVarTuple("Few")
Found = TypeVar("Found")

_learning: list[Shape] = []
_lately: list[_lru_cache_wrapper[object]] = []


def of_shape(follow: Callable[[Shape, Unpack[Few]], Found]) -> Callable[[Shape, Unpack[Few]], Found]:
    """Keep what `follow` says of a shape, for each of the few values that it is asked with by position.

    For what can be pickled and is small, since it stays as long as its shape and is read with it.
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


def large_of_shape(follow: Callable[[Shape, Unpack[Few]], Found]) -> Callable[[Shape, Unpack[Few]], Found]:
    """As `of_shape`, for what is too large to be read with every shape."""
    name = f"{follow.__module__}.{follow.__qualname__}"

    @wraps(follow)
    def known(shape: Shape, *few: *Few) -> Found:
        try:
            return cast(Found, answer_in(shape.learned, (name, *few)))
        except KeyError:
            pass
        found = shape.learned[name, *few] = follow(shape, *few)
        return found

    return known


def learned_of_shape(follow: Callable[[Shape, Unpack[Few]], Found]) -> Callable[[Shape, Unpack[Few]], Found]:
    """As `of_shape`, for what is asked with any of many values: only what was asked within `learned` lies with the
    shape, packed by the last of the values; the rest is kept for a while."""
    name = in_groups(f"{follow.__module__}.{follow.__qualname__}")
    kept = lru_cache(maxsize=4096)(follow)
    _lately.append(kept)
    lately = cast(Callable[[Shape, Unpack[Few]], Found], kept)

    @wraps(follow)
    def known(shape: Shape, *few: *Few) -> Found:
        try:
            return shape.known[name, *few]  # type: ignore[return-value]  # as it was put there
        except KeyError:
            if unpacked(shape.known, (name, *few)):
                return known(shape, *few)
        found = lately(shape, *few)
        if is_learned(shape):
            shape.known[name, *few] = found
        return found

    return known


def forget_lately() -> None:
    """What `learned_of_shape` was told of shapes that are not learned."""
    for kept in _lately:
        kept.cache_clear()


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
    try:
        return cast(Found, answer_in(shape.learned, question))
    except KeyError:
        pass
    found = follow()
    if is_learned(shape):
        shape.learned[question] = found
    return found
