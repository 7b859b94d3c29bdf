"""What the fullest card holds is told without its terms; an estimate with them says the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calculator.architecture import Shape
from calculator.memory import Workload, WorkloadError, estimate, llama_cpp
from calculator.memory.engines import resolve
from calculator.memory.llama_cpp import running
from calculator.memory.llama_cpp.placement import Placement
from calculator.memory.workload import InFormat
from tests.calculator.memory.shapes import published
from tests.calculator.memory.test_llama_cpp_relations import NAMES

GIB = 2**30
KNOBS: dict[str, st.SearchStrategy[Any]] = {
    "sequences": st.integers(1, 9),
    "kv_format": st.sampled_from(["q8_0", "f32"]),
    "weight_format": st.sampled_from(["Q8_0", "Q2_K"]),
    "pipeline_parallel": st.integers(2, 8),
    "tensor_split": st.sampled_from([(3.0, 1.0), (1.0, 1.0, 2.0)]),
    "gpu_layers": st.integers(0, 8),
    "cpu_expert_layers": st.integers(1, 4),
    "slots": st.sampled_from(["auto", 3]),
    "flash_attention": st.booleans(),
    "swa_full": st.booleans(),
    "back_end": st.sampled_from(["metal", "vulkan", "cpu", "other"]),
    "batch": st.sampled_from([64, 4096]),
    "micro_batch": st.sampled_from([64, 1024]),
    "mtp": st.integers(1, 2),
    "vision": st.booleans(),
    "mmproj_in_ram": st.booleans(),
    "file_bytes": st.integers(4 * GIB, 20 * GIB),
    "card_bytes": st.sampled_from([8 * GIB, 24 * GIB]),
    "multiprocessors": st.sampled_from([82, 128]),
}


@given(name=st.sampled_from(NAMES), context=st.integers(1, 2**17), knobs=st.fixed_dictionaries({}, optional=KNOBS))
def test_the_fullest_card_is_that_of_the_estimate(name: str, context: int, knobs: dict[str, Any]) -> None:
    shape, workload = published(name), Workload(context_tokens=context, **knobs)
    try:
        answer = estimate(shape, workload)
    except WorkloadError as error:
        with pytest.raises(WorkloadError, match=error.key):
            llama_cpp.fullest_bytes(shape, resolve(llama_cpp, shape, workload))
        return
    measured = answer.per_card_range_bytes
    assert measured is not None
    told = llama_cpp.fullest_bytes(shape, answer.workload)
    assert told == (measured[0], answer.per_card_bytes, measured[1])
    at_rest = max(sum(card.values()) - card["compute"] for card in answer.cards)
    less = answer.per_card_bytes - at_rest
    assert llama_cpp.at_rest_bytes(shape, answer.workload) == tuple(size - less for size in told)
    if answer.workload.file_bytes is None:  # which is of one format alone
        name = answer.workload.weight_format or ""
        wanted = InFormat(name, told, answer.total_bytes, answer.file_bytes)
        assert list(llama_cpp.by_format(shape, answer.workload, [name])) == [wanted]


@pytest.mark.parametrize(
    ("tokens", "asked"), [(8000, 8192), (8192, 8192), (8193, 8448), (1900, 2048), (512, 512), (511, 511), (100, 100)]
)
def test_contexts_of_as_many_cells_are_one(tokens: int, asked: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells come by 256 (`n_ctx_seq` in `src/llama-context.cpp`); one shorter than a micro-batch bounds it besides."""
    seen: list[int] = []

    def noted(shape: Shape, workload: Workload, placement: Placement) -> running.Running:
        seen.append(workload.context_tokens)
        return running.run(shape, workload, placement)

    monkeypatch.setattr(llama_cpp, "run", noted)
    answer = estimate(published("llama-3-1-8b-instruct"), Workload(context_tokens=tokens))
    assert seen == [asked]
    assert answer.workload.context_tokens == tokens
