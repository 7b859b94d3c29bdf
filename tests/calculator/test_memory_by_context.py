"""The table of memory by context says what an estimate says, and asks for few."""

from __future__ import annotations

from typing import Any

import pytest

from calculator import fit_words
from calculator.architecture import Shape
from calculator.context_stops import table_stops
from calculator.memory import Workload, WorkloadError, estimate
from calculator.memory_by_context import table
from tests.calculator.memory.shapes import catalogued, published

LONGEST = 65_536
TURNED: tuple[dict[str, Any], ...] = (
    {"weight_format": "Q4_K_M"},
    {"weight_format": "Q4_K_M", "gpu_layers": 7},
    {"weight_format": "Q6_K", "sequences": 3, "kv_format": "q8_0"},
    {"weight_format": "Q4_K_M", "tensor_split": (3.0, 1.0)},
    {"weight_format": "Q4_K_M", "file_bytes": 6 * 2**30},
    {"weight_format": "BF16", "engine": "vllm"},
)


@pytest.mark.parametrize("turned", TURNED)
@pytest.mark.parametrize("name", ["llama-3-1-8b-instruct", "gemma-3-12b-it"])
def test_every_cell_is_that_of_an_estimate(name: str, turned: dict[str, Any]) -> None:
    shape = published(name)
    workload = Workload(context_tokens=10_100, **turned)
    columns, rows = table(shape, workload, LONGEST)
    assert columns == tuple(sorted({*table_stops(LONGEST), 10_100}))
    assert rows
    for row in rows:
        wanted = workload.in_format(row.weight_format)
        for cell in row.cells:
            assert cell.bytes == estimate(shape, wanted.but(context_tokens=cell.context_tokens)).total_bytes
            assert cell.here == (cell.context_tokens == 10_100 and row.weight_format == workload.weight_format)


def test_formats_that_were_not_chosen_are_not_estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Workload] = []

    def noted(shape: Shape, workload: Workload) -> Any:
        asked.append(workload)
        return estimate(shape, workload)

    monkeypatch.setattr(fit_words, "estimate", noted)
    workload = Workload(context_tokens=10_700, weight_format="Q4_K_M")
    table(catalogued("qwen/qwen3-4b"), workload, LONGEST)
    assert {each.weight_format for each in asked} == {"Q4_K_M"}
    assert len(asked) == len(table_stops(LONGEST)) + 1  # and the reader's own


def test_a_workload_that_cannot_be_has_no_rows() -> None:
    shape, workload = published("llama-3-1-8b-instruct"), Workload(context_tokens=10_100, sequences=300)
    with pytest.raises(WorkloadError):
        estimate(shape, workload)
    assert table(shape, workload, LONGEST)[1] == ()
