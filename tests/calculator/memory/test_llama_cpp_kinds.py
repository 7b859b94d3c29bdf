"""What llama.cpp keeps of rarer kinds of layers, towers and tables, by hand from each config."""

from __future__ import annotations

from dataclasses import replace

import pytest

from calculator.architecture import read_config
from calculator.architecture.shape import FullAttention
from calculator.memory import ENGINES, Workload, WorkloadError, estimate
from tests.calculator.memory.shapes import catalogued, catalogued_config, made_of, published

TOKENS = 8_192
LLAMA_CPP = ENGINES["llama.cpp"]


def cache(name: str) -> int:
    return estimate(catalogued(name), Workload(context_tokens=TOKENS)).part("kv_cache").bytes


def test_an_indexer_that_pools_keeps_a_key_a_gate_and_a_pooled_key() -> None:
    """GLM-5.3 Flash: every fourth of its layers has a latent of 512, none of it rotary, and an indexer of 128."""
    attending = sum(1 for layer in catalogued("zhipu/glm-5-3-flash").layers if layer.index % 4 == 3)
    assert cache("zhipu/glm-5-3-flash") == attending * TOKENS * (512 + 3 * 128) * 2


def test_minimax_s_indexer_has_values_too() -> None:
    """60 layers of 4 heads of 128; the cache of 57 indexers is made like any other, and nothing reads its values."""
    assert cache("minimax/minimax-m3") == TOKENS * (60 * 4 * (128 + 128) + 57 * (128 + 128)) * 2


@pytest.mark.parametrize(("layers", "cells"), [(64, 16 * TOKENS + 48 * (4_096 + 512)), (60, 60 * TOKENS)])
def test_exaone_4_has_windows_where_it_has_64_layers(layers: int, cells: int) -> None:
    """`src/models/exaone4.cpp` sets them for 64 layers alone: 4,096 tokens in three of four layers of the 32B."""
    config = catalogued_config("lg/exaone-4-0-32b")
    shape = read_config({**config, "num_hidden_layers": layers, "layer_types": config["layer_types"][:layers]})
    answer = estimate(shape, Workload(context_tokens=TOKENS))
    assert answer.part("kv_cache").bytes == cells * 8 * (128 + 128) * 2


def test_tables_read_by_row_are_as_long_as_the_vocabulary() -> None:
    """Gemma 3n E4B: 262,400 words, of which the per-layer table states 262,144; the converter pads it (conversion)."""
    answer = estimate(catalogued("google/gemma-3n-e4b-it"), Workload(weight_format="F16"))
    assert answer.host[0].bytes == 262_400 * (2_048 + 35 * 256) * 2


def test_a_value_that_no_block_divides_excludes_a_format() -> None:
    plain = FullAttention(num_heads=4, num_kv_heads=2, head_dim=64, value_head_dim=64)
    assert "q8_0" in LLAMA_CPP.kv_formats(made_of(plain))
    odd = made_of(replace(plain, value_head_dim=80))  # blocks of 32
    assert LLAMA_CPP.kv_formats(odd) == ("f32", "f16", "bf16")
    with pytest.raises(WorkloadError):
        estimate(odd, Workload(kv_format="q4_0"))


@pytest.mark.parametrize(("name", "preset"), [("openai/gpt-oss-20b", "MXFP4_MOE"), ("deepseek/deepseek-v3", "Q4_K_M")])
def test_a_model_trained_in_mxfp4_keeps_it(name: str, preset: str) -> None:
    assert estimate(catalogued(name), Workload()).workload.weight_format == preset


def test_an_encoder_of_sound_is_one_too() -> None:
    """Gemma 4 E4B sees and hears: both towers lie in the `mmproj` file."""
    shape = published("gemma-4-e4b-it")
    elements = {part: sum(tensor.elements for tensor in shape.tensors_of(part)) for part in ("vision", "audio")}
    assert all(elements.values())
    held = estimate(shape, Workload(vision=True)).part("vision")
    assert sum(int(term.values.get("elements", 0)) for term in held.terms) == sum(elements.values())


def test_the_logits_that_a_caller_reads_lie_in_ram() -> None:
    answer = estimate(published("qwen3-8b"), Workload(sequences=3))
    (read,) = (term for part in answer.host for term in part.terms if term.key == "logits_read")
    assert read.bytes == 3 * 151_936 * 4
