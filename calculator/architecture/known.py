"""What follows from a shape alone is worked out once, and lies with it: whoever keeps a shape keeps that, too."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar, TypeVarTuple, Unpack

from calculator.architecture.shape import Shape

Few = TypeVarTuple("Few")
Found = TypeVar("Found")


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
