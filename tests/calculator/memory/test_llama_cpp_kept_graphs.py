"""Plans of graphs are kept for other processes: none is followed twice, and what is read says the same."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import Any

import pytest

from calculator.accuracy.references import REFERENCE
from calculator.architecture import Shape, parse_config_text, read_config
from calculator.memory import Workload, estimate
from calculator.memory.llama_cpp.graph import NotTracedError, curves_learned, keep_in, kept
from calculator.memory.llama_cpp.graph.kept import kept as ask
from calculator.memory.llama_cpp.graph.layout import Peaks
from calculator.memory.llama_cpp.graph.trace import Trace

trace_module = import_module("calculator.memory.llama_cpp.graph.trace")  # whose name is that of its function, too

LLAMA = "llama-3-1-8b-instruct"


def read(name: str) -> Shape:
    """As another process has it: equal in all, and another object."""
    return read_config(parse_config_text((REFERENCE / "configs" / f"{name}.json").read_bytes()))


class Pickles:
    """What goes through it is another object, as between processes."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}

    def get(self, key: str) -> object:
        return pickle.loads(self.held[key]) if key in self.held else None

    def set(self, key: str, value: object) -> None:
        self.held[key] = pickle.dumps(value)


@pytest.fixture
def store() -> Iterator[Pickles]:
    before = list(kept._stores)
    found = Pickles()
    keep_in(found)
    yield found
    kept._stores[:] = before


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"pipeline_parallel": 4},
        {"back_end": "metal"},
        {"gpu_layers": 20},
        {"kv_format": "q8_0", "sequences": 3},
    ],
    ids=str,
)
def test_another_process_reads_what_one_has_followed(asked: dict[str, Any], store: Pickles) -> None:
    workload = Workload(**asked)
    first = estimate(read(LLAMA), workload)
    keys = set(store.held)
    assert keys
    longer = workload.but(context_tokens=100_000)
    assert estimate(read(LLAMA), workload) == first
    assert estimate(read(LLAMA), longer) == _alone(read(LLAMA), longer)
    assert set(store.held) == keys  # of equal shapes and questions, whatever the context


@pytest.mark.parametrize("name", ["gemma-4-e4b-it", "qwen3-next-80b-a3b-instruct", LLAMA])
def test_between_the_contexts_that_were_asked_nothing_is_laid_out_again(
    name: str, store: Pickles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process reads the whole curve, and not the plan it came from."""
    shape = read(name)
    with curves_learned(shape):
        for tokens in (1024, 8192, 131_072):
            estimate(shape, Workload(context_tokens=tokens))
    assert not store.held  # it lies with the shape
    lengths = (1024, 8192, 20_224, 50_000, 77_777, 131_072)
    right = [_alone(read(name), Workload(context_tokens=tokens)) for tokens in lengths]
    monkeypatch.setattr(Peaks, "plan", property(lambda _self: pytest.fail("the plan was read")))
    there = pickle.loads(pickle.dumps(shape))
    assert [estimate(there, Workload(context_tokens=tokens)) for tokens in lengths] == right


def test_one_plan_serves_all_cards_on_which_the_same_happens() -> None:
    """Of two cards and of four: the first and the last do the same there, those between them like each other."""
    shape = read(LLAMA)
    with curves_learned(shape):
        for cards in (2, 4):
            estimate(shape, Workload(pipeline_parallel=cards))
    two, four = (found.peaks for found in shape.learned.values() if isinstance(found, Trace))
    assert (len(two), len(four)) == (3, 5)  # RAM besides
    assert len({id(peaks) for peaks in two + four}) == len({(peaks.plan, peaks.alignment) for peaks in two + four}) < 8


def test_another_process_has_no_need_of_the_tensors() -> None:
    """They are most of a shape, and all that the estimate asks of them is known."""
    shape = read(LLAMA)
    with curves_learned(shape):
        first = estimate(shape, Workload(pipeline_parallel=4))
    there = pickle.loads(pickle.dumps(shape))
    assert estimate(there, Workload(pipeline_parallel=4)) == first
    assert "tensors" not in vars(there)
    assert there.tensors == shape.tensors
    assert repr(there) == repr(shape)
    assert replace(there, vocab_size=7).learned == {}  # another shape, of which nothing is known


def test_what_is_no_attribute_of_a_shape_is_none_of_one_that_was_read() -> None:
    there = pickle.loads(pickle.dumps(read(LLAMA)))
    with pytest.raises(AttributeError, match="tensor_count"):
        there.tensor_count  # noqa: B018


def test_that_a_kind_of_layer_is_not_known_is_known_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else each process would begin the graph to find out."""
    shape = read(LLAMA)
    monkeypatch.setattr(trace_module, "_follow", _unknown)
    with curves_learned(shape):
        first = estimate(shape, Workload())  # by the closed rule
    there = pickle.loads(pickle.dumps(shape))
    monkeypatch.setattr(trace_module, "_follow", lambda *_: pytest.fail("followed again"))
    assert estimate(there, Workload()) == first


def _unknown(*_: object) -> Trace:
    raise NotTracedError("a layer")


def _alone(shape: Shape, workload: Workload) -> object:
    before = list(kept._stores)
    keep_in(None)
    try:
        return estimate(shape, workload)
    finally:
        kept._stores[:] = before


def test_shapes_and_questions_are_told_apart(store: Pickles) -> None:
    shapes = [read(LLAMA), read("qwen3-8b")]
    asked = [(shape, question) for shape in shapes for question in (1, 2)]
    answers = [ask(shape, (question,), partial(tuple, (shape.model_type, question))) for shape, question in asked]
    assert answers == [("llama", 1), ("llama", 2), ("qwen3", 1), ("qwen3", 2)]
    assert ask(read(LLAMA), (1,), lambda: pytest.fail("followed again")) == ("llama", 1)


def test_what_is_not_known_is_not_kept(store: Pickles) -> None:
    def refuse() -> object:
        raise NotTracedError("unknown")

    with pytest.raises(NotTracedError):
        ask(read(LLAMA), (3,), refuse)
    assert not store.held
    assert trace_module._trace.cache_info().maxsize == 512  # what a process holds is bounded, too
