"""llama.cpp: what stands behind its numbers and beside them, and what stays in RAM."""

from __future__ import annotations

from math import prod
from typing import Any

import pytest

from calculator.memory import Estimate, Workload, WorkloadError, estimate
from tests.calculator.memory.shapes import catalogued, published

HYBRIDS = ("gemma-3-27b-it", "llama-4-maverick-instruct", "deepseek-v3-2", "falcon-h1-7b-instruct", "gpt-oss-20b")


def values_of(answer: Estimate, key: str) -> list[dict[str, Any]]:
    return [dict(term.values, key=term.key, total=term.bytes) for term in answer.part(key).terms]


@pytest.mark.parametrize("name", HYBRIDS)
@pytest.mark.parametrize("kv", ["f16", "q8_0"])
def test_a_term_is_its_formula(name: str, kv: str) -> None:
    answer = estimate(published(name), Workload(kv_format=kv, context_tokens=20_000, sequences=3))
    cells = values_of(answer, "kv_cache")
    assert cells
    for term in cells:
        assert term["total"] == prod(term[value] for value in ("layers", "sequences", "cells", "cell_bytes"))
        assert (term["key_format"], term["value_format"]) == (kv, kv)
        assert ("window" in term) == (term["key"] in ("cells_sliding", "cells_chunked"))
    for term in values_of(answer, "state"):
        assert term["total"] == term["layers"] * term["sequences"] * (term["convolution"] + term["state"]) * 4


@pytest.mark.parametrize("cards", [1, 2, 8])
def test_weights_of_all_cards_are_told_by_type(cards: int) -> None:
    """Each type once, with the elements of all cards and what a block of it takes."""
    shape = published("llama-3-1-8b-instruct")
    told = values_of(estimate(shape, Workload(weight_format="Q4_K_M", pipeline_parallel=cards)), "weights")
    assert len({term["format"] for term in told}) == len(told)
    for term in told:
        assert term["total"] == term["elements"] // term["block_elements"] * term["block_bytes"]
    embedding = 128_256 * 4_096  # in RAM
    assert sum(term["elements"] for term in told) == shape.total_parameters - embedding


def notes(name: str, **asked: Any) -> dict[str, dict[str, int | str]]:
    shape = catalogued(name) if "/" in name else published(name)
    return {note.key: dict(note.values) for note in estimate(shape, Workload(**asked)).notes}


@pytest.mark.parametrize(
    ("name", "asked", "key", "values"),
    [
        ("gemma-3-1b-it", {}, "tied_embedding_twice", {}),
        ("phi-3-mini-4k-instruct", {}, "embedding_in_ram", {}),
        ("qwen3-8b", {"weight_format": "IQ2_M"}, "needs_importance_matrix", {"format": "IQ2_M"}),
        ("qwen3-8b", {"weight_format": "IQ3_XXS"}, "needs_importance_matrix", {"format": "IQ3_XXS"}),
        ("qwen3-8b", {"weight_format": "Q4_K_M"}, "needs_importance_matrix", None),
        ("qwen3-8b", {"sequences": 2}, "own_cache_per_sequence", {"sequences": 2, "context": 8_192}),
        ("qwen3-8b", {"sequences": 1}, "own_cache_per_sequence", None),
        ("qwen3-8b", {"context_tokens": 40_960}, "context_above_model", None),
        ("qwen3-8b", {"context_tokens": 40_961}, "context_above_model", {"context": 40_961, "most": 40_960}),
        ("mistral-7b-instruct-v0-1", {}, "window_not_used", {"layers": 32, "window": 4_096}),
        ("gemma-3-1b-it", {}, "window_not_used", None),
        ("qwen3-8b", {}, "window_not_used", None),
    ],
)
def test_what_is_said_beside_a_number(
    name: str, asked: dict[str, Any], key: str, values: dict[str, int | str] | None
) -> None:
    assert notes(name, **asked).get(key) == values


@pytest.mark.parametrize("name", ["gemma-3-1b-it", "phi-3-mini-4k-instruct", "qwen3-30b-a3b"])
def test_with_no_layer_on_a_card_the_whole_file_lies_in_ram(name: str) -> None:
    answer = estimate(published(name), Workload(weight_format="Q8_0", gpu_layers=0))
    assert answer.part("weights").bytes == answer.part("kv_cache").bytes == 0
    assert answer.host[0].bytes == answer.file_bytes
    in_ram = {part.key: part.bytes for part in answer.host}
    assert in_ram["kv_cache"] == estimate(published(name), Workload()).part("kv_cache").bytes


def test_a_tied_output_layer_is_held_twice_as_soon_as_it_is_on_a_card() -> None:
    """Gemma 3 1B: `--gpu-layers 1` puts the output layer there alone."""
    answer = estimate(published("gemma-3-1b-it"), Workload(weight_format="Q8_0", gpu_layers=1))
    table = 262_144 * 1_152 // 32 * 34
    assert answer.part("weights").bytes == table + 4 * 1_152  # and the last norm
    assert answer.host[0].bytes == answer.file_bytes - 4 * 1_152


@pytest.mark.parametrize(
    ("asked", "same"), [({"gpu_layers": 99}, {}), ({"cpu_expert_layers": 99}, {"cpu_expert_layers": 48})]
)
def test_more_layers_than_there_are_is_all_of_them(asked: dict[str, int], same: dict[str, int]) -> None:
    shape = published("qwen3-30b-a3b")
    more, all_ = (estimate(shape, Workload(**knobs)) for knobs in (asked, same))  # type: ignore[arg-type]
    assert (more.parts, more.host) == (all_.parts, all_.host)


@pytest.mark.parametrize("field", ["gpu_layers", "cpu_expert_layers"])
def test_less_than_no_layer_is_refused(field: str) -> None:
    with pytest.raises(WorkloadError) as caught:
        estimate(published("qwen3-30b-a3b"), Workload(**{field: -1}))  # type: ignore[arg-type]
    assert (caught.value.field, caught.value.key) == (field, "out_of_bounds")
    assert caught.value.values == {"value": -1, "least": 0, "most": 49}


def test_a_prompt_visits_the_card_with_the_largest_tensor_in_ram() -> None:
    """Experts of Qwen3 30B A3B in RAM: 128 x 768 x 2,048 in Q8_0, one tensor at a time (`--op-offload`)."""
    whole, split = (
        estimate(published("qwen3-30b-a3b"), Workload(weight_format="Q8_0", cpu_expert_layers=layers))
        for layers in (0, 1)
    )
    visiting = 128 * 768 * 2_048 // 32 * 34
    held = split.part("compute").bytes
    assert visiting < held < whole.part("compute").bytes + visiting
