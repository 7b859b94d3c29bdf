"""What engines do otherwise with Grok. Sources: SGLang's own log of Grok 2, llama.cpp's `llama_init_from_model`."""

from __future__ import annotations

from typing import Any

import pytest

from calculator.architecture import read_config
from calculator.memory import Estimate, Workload, WorkloadError, estimate
from tests.calculator.memory.shapes import catalogued_config

SHAPE = read_config(catalogued_config("xai/grok-2"))
TABLE = 131072 * 128 * 4  # 8,192 positions stretched by 16, in F32


def of(engine: str, **knobs: Any) -> Estimate:
    return estimate(SHAPE, Workload(engine=engine, context_tokens=8192, **knobs))


def test_a_rank_of_sixteen_loads_what_sglang_logs() -> None:
    """`mem usage=35.57 GB` at `Load weight end` on 15 of 16 ranks, in BF16 (sgl-project/sglang, pull request 29853)."""
    assert round(of("sglang", tensor_parallel=16).cards[0]["weights"] / 2**30, 2) == 35.57


def test_each_layer_has_a_table_of_angles_beside_the_one_for_all() -> None:
    """Of ranks and of stages alike; a file that stretches nothing has one for all."""
    term = next(term for term in of("sglang").part("weights").terms if term.key == "rotary_table")
    assert term.bytes == 65 * TABLE
    staged = of("sglang", pipeline_parallel=2, tensor_parallel=8).part("weights").terms
    assert next(term for term in staged if term.key == "rotary_table").bytes == 8 * (64 + 2) * TABLE
    plain = {key: value for key, value in catalogued_config("xai/grok-2").items() if key != "rope_type"}
    alone = estimate(read_config(plain), Workload(engine="sglang", context_tokens=8192)).part("weights").terms
    assert next(term for term in alone if term.key == "rotary_table").bytes == TABLE


@pytest.mark.parametrize("asked", [None, True, False])
def test_llama_cpp_multiplies_scores_out_whatever_is_asked(asked: bool | None) -> None:
    """`flash_attn is not compatible with Grok - forcing off`: 64 heads of 512 x 8,192 scores in F32."""
    found = of("llama.cpp", flash_attention=asked)
    scores = next(term for term in found.part("compute").terms if term.key == "attention_scores")
    assert scores.bytes >= 64 * 512 * 8192 * 4
    assert "without_flash_attention" in [note.key for note in found.notes]
    assert found.per_card_bytes == of("llama.cpp", flash_attention=False).per_card_bytes


def test_so_its_values_stay_wide() -> None:
    with pytest.raises(WorkloadError) as refused:
        of("llama.cpp", kv_format="q8_0")
    assert refused.value.key == "quantised_values"
    assert of("llama.cpp", kv_format="q8_0", kv_v_format="f16").part("kv_cache").bytes < 2**31


@pytest.mark.parametrize(("engine", "key"), [("vllm", "model_not_known"), ("mlx", "model_not_supported")])
def test_engines_without_its_code_refuse_it(engine: str, key: str) -> None:
    with pytest.raises(WorkloadError) as refused:
        of(engine)
    assert refused.value.key == key
