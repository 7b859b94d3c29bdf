"""What is known of a shape lies packed, and a process unpacks no more of it than it asks for."""

from __future__ import annotations

import pickle
from typing import NamedTuple

from calculator.accuracy.references import reference_shape
from calculator.architecture import packing
from calculator.architecture.known import large_of_shape, learned, learned_of_shape
from calculator.architecture.shape import Shape


class Named(NamedTuple):
    name: str
    number: int = 0


@learned_of_shape
def times(shape: Shape, named: Named, cards: int) -> int:
    return shape.num_layers * len(named.name) * cards


@large_of_shape
def text(shape: Shape, number: int) -> str:
    asked.append(number)
    return "x" * number


asked: list[int] = []


def another(name: str = "llama-3-1-8b-instruct") -> Shape:
    found: Shape = pickle.loads(pickle.dumps(reference_shape(name)))
    found.known.clear()
    return found


def test_answers_are_unpacked_by_the_last_value() -> None:
    shape = another()
    with learned(shape):
        right = {(name, cards): times(shape, Named(name), cards) for name in ("a", "bcd") for cards in (1, 2, 8)}
    assert right["bcd", 2] == 32 * 3 * 2  # layers of Llama 3.1 8B
    there = pickle.loads(pickle.dumps(shape))
    assert len(there.known) == 3  # of one, two and eight cards
    assert times(there, Named("a"), 2) == right["a", 2]
    assert len(there.known) == 2 + 2  # those of two are there now, the others still packed
    assert all(times(there, Named(name), cards) == said for (name, cards), said in right.items())
    again = pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(shape))))  # packed as it was packed
    assert times(again, Named("bcd"), 8) == right["bcd", 8]


def test_what_was_not_learned_is_not_kept_with_the_shape() -> None:
    shape = another()
    assert times(shape, Named("abc"), 4) == times(shape, Named("abc"), 4) == 32 * 3 * 4
    assert shape.known == {}


def test_what_is_large_is_unpacked_one_by_one() -> None:
    asked.clear()
    shape = another()
    for number in (3, 5):
        text(shape, number)
    there = pickle.loads(pickle.dumps(shape))
    assert "learned" not in vars(there)
    assert text(there, 3) == "xxx"
    held = {question[1]: answer for question, answer in there.learned.items() if question[0].endswith("text")}
    assert held[3] == "xxx"
    assert isinstance(held[5], bytes)
    assert text(there, 5) == "xxxxx"
    assert asked == [3, 5]


def test_parts_are_read_when_they_are_asked_for() -> None:
    shape, reads = reference_shape("llama-3-1-8b-instruct"), list[str]()

    def read() -> dict[str, bytes]:
        reads.append("all")
        return shape.parts()

    there: Shape = pickle.loads(pickle.dumps(shape.without_parts())).with_parts(read)
    assert there.num_layers == 32
    assert not reads
    assert (there.layers, there.tensors) == (shape.layers, shape.tensors)
    assert reads == ["all"]
    assert repr(there) == repr(shape)
    assert pickle.loads(pickle.dumps(there)).tensors == shape.tensors


def test_a_group_that_is_not_there_is_none() -> None:
    assert not packing.unpacked({}, ("nobody", 1, 2))
