"""What follows from a shape alone is worked out once, and lies with it: whoever keeps a shape keeps that, too."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar, cast

from calculator.architecture.shape import Shape

Few = ParamSpec("Few")
Found = TypeVar("Found")


def of_shape(follow: Callable[Concatenate[Shape, Few], Found]) -> Callable[Concatenate[Shape, Few], Found]:
    """Keep what `follow` says of a shape, for each of the few values that it is asked with by position.

    For what can be pickled and is small, since it stays as long as its shape.
    """
    name = f"{follow.__module__}.{follow.__qualname__}"

    @wraps(follow)
    def known(shape: Shape, *few: Few.args, **_none: Few.kwargs) -> Found:
        question = (name, *few)
        if question not in shape.known:
            shape.known[question] = follow(shape, *few)
        return cast(Found, shape.known[question])

    return known
