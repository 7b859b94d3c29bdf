"""What is known of a shape is worked out once, goes where the shape goes, and is not said of another."""

from __future__ import annotations

import pickle
from dataclasses import replace

from calculator.accuracy.references import reference_shape
from calculator.architecture import Shape
from calculator.architecture.known import of_shape

asked: list[int] = []


@of_shape
def layers_and(shape: Shape, more: int) -> int:
    """How many layers, and so many more."""
    asked.append(more)
    return shape.num_layers + more


def test_each_value_is_asked_about_once() -> None:
    asked.clear()
    shape = replace(reference_shape("llama-3-1-8b-instruct"))
    assert [layers_and(shape, more) for more in (1, 2, 1, 2)] == [33, 34, 33, 34]
    assert asked == [1, 2]
    assert layers_and(pickle.loads(pickle.dumps(shape)), 1) == 33
    assert asked == [1, 2]
    assert layers_and(replace(shape, layers=()), 1) == 1
    assert asked == [1, 2, 1]


def test_it_still_says_what_it_says() -> None:
    assert (layers_and.__name__, layers_and.__doc__) == ("layers_and", "How many layers, and so many more.")
