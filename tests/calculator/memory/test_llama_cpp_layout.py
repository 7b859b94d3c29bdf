"""ggml's allocator over a plan, for one number of cells and for many."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calculator.memory import Workload
from calculator.memory.llama_cpp.compute import setting_of
from calculator.memory.llama_cpp.graph import trace
from calculator.memory.llama_cpp.graph.allocator import Event
from calculator.memory.llama_cpp.graph.layout import Peaks
from calculator.memory.llama_cpp.graph.tensors import Size
from calculator.memory.llama_cpp.placement import Placement
from tests.calculator.memory.shapes import published

KIB = 1024
ALIGNMENT = 128
TAKE_TWO_GIVE_ONE_BACK = (
    Event(0, Size(4 * KIB), frees=False),
    Event(1, Size(100), frees=False),
    Event(0, Size(4 * KIB), frees=True),
)


@pytest.mark.parametrize(
    ("cells", "end"),
    [
        (256, 4 * KIB + 128),  # 1 KiB lies in the hole of 4 KiB
        (1_024, 4 * KIB + 128),  # fills it
        (1_280, 4 * KIB + 128 + 5 * KIB),  # is too large for it, and lies behind the 100 bytes, rounded up to 128
    ],
)
def test_a_tensor_that_grows_leaves_its_hole(cells: int, end: int) -> None:
    peaks = Peaks((*TAKE_TWO_GIVE_ONE_BACK, Event(2, Size(0, 4), frees=False)), ALIGNMENT)
    assert peaks.at([cells]).bytes == end


def test_the_smallest_hole_is_taken_and_joined_again() -> None:
    """Best fit, as `ggml_dyn_tallocr_alloc` does it: the second tensor of 1 KiB goes where the first was."""
    events = (
        Event(0, Size(8 * KIB), frees=False),
        Event(1, Size(KIB), frees=False),
        Event(2, Size(KIB), frees=False),
        Event(3, Size(KIB), frees=False),
        Event(0, Size(8 * KIB), frees=True),
        Event(2, Size(KIB), frees=True),
        Event(4, Size(KIB), frees=False),
        Event(1, Size(KIB), frees=True),  # joins the hole of 8 KiB in front of it
        Event(5, Size(9 * KIB), frees=False),
    )
    assert Peaks(events, ALIGNMENT).at([0]).bytes == 11 * KIB


@given(
    name=st.sampled_from(["llama-3-1-8b-instruct", "gemma-4-e4b-it", "falcon-h1-7b-instruct", "qwen3-30b-a3b"]),
    kv=st.sampled_from(["f16", "q8_0"]),
    cells=st.lists(st.integers(1, 1_024).map(lambda number: 256 * number), min_size=2, max_size=6),
)
def test_what_was_kept_for_another_length_answers_alike(name: str, kv: str, cells: list[int]) -> None:
    shape = published(name)
    placement = Placement((), (tuple(range(shape.num_layers)),), output_in_ram=False, experts_in_ram=0)
    events = trace(shape, setting_of(shape, Workload(kv_format=kv), placement), placement, 1).peaks[0].plan
    kept = Peaks(events, ALIGNMENT)
    for number in cells:
        assert kept.at([number, min(number, 1_536)]) == Peaks(events, ALIGNMENT).at([number, min(number, 1_536)])


@given(
    name=st.sampled_from(["llama-3-1-8b-instruct", "gemma-4-e4b-it", "falcon-h1-7b-instruct", "qwen3-30b-a3b"]),
    cells=st.lists(st.integers(1, 1_024).map(lambda number: 256 * number), min_size=2, max_size=3),
    between=st.floats(0, 1),
)
def test_what_lies_between_is_learnt(name: str, cells: list[int], between: float) -> None:
    """A window of 256 cells is the shortest there is, so that all other lengths are of one kind."""
    shape = published(name)
    placement = Placement((), (tuple(range(shape.num_layers)),), output_in_ram=False, experts_in_ram=0)
    events = trace(shape, setting_of(shape, Workload(), placement), placement, 1).peaks[0].plan
    learnt = Peaks(events, ALIGNMENT)
    for number in cells:
        learnt.at([number, 128])
    learnt.fill()
    known = pickle.loads(pickle.dumps(learnt))
    number = (min(cells) + int(between * (max(cells) - min(cells)))) // 256 * 256
    assert known.at([number, 128]) == Peaks(events, ALIGNMENT).at([number, 128])
    assert isinstance(known._plan, bytes)  # was not read
