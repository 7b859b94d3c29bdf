"""Checkpoints in NVFP4 as GGUF files: `_generate_nvfp4_tensors` in llama.cpp's `conversion/base.py`."""

from __future__ import annotations

from typing import Any

import pytest

from calculator.architecture import Shape
from calculator.memory import Estimate, Workload, WorkloadError, estimate
from calculator.memory.llama_cpp import weight_formats
from tests.calculator.memory.shapes import published, quantised, tiny_llama

GIB = 2**30
MODELOPT = {"quant_method": "modelopt", "quant_algo": "NVFP4"}


def compressed(**activations: object) -> dict[str, Any]:
    group = {"weights": {"num_bits": 4, "type": "float", "group_size": 16}, "input_activations": activations or None}
    return {"quant_method": "compressed-tensors", "format": "nvfp4-pack-quantized", "config_groups": {"group_0": group}}


def stored(shape: Shape, **asked: Any) -> Estimate:
    return estimate(shape, Workload(weight_format="NVFP4", **asked))


def test_the_size_of_a_published_file() -> None:
    """llama-bench says 2.63 GiB of Qwen3-4B-NVFP4-current.gguf, made of baseten/Qwen3-4B-NVFP4-PTQ (llama.cpp, pull
    request 23402)."""
    assert stored(quantised("qwen3-4b", **MODELOPT)).file_bytes / GIB == pytest.approx(2.63, abs=0.005)


@pytest.mark.parametrize(
    ("quantization", "scales"), [(MODELOPT, 2), (compressed(num_bits=4), 2), (compressed(), 1)], ids=["", "a4", "a16"]
)
def test_the_parts_of_a_small_file(quantization: dict[str, Any], scales: int) -> None:
    """Two layers of 256: q and o 256 x 256, k and v 64 x 256, three matrices 512 x 256; tables of 1,000 x 256."""
    matrices, tables, norms = 2 * (2 * 256 * 256 + 2 * 64 * 256 + 3 * 512 * 256), 2 * 1000 * 256, 5 * 256
    shape = tiny_llama(quantization_config=quantization)
    expected = matrices * 36 // 64 + 2 * tables + 4 * norms + 4 * scales * 2 * 7
    assert stored(shape).file_bytes == expected


def test_experts_have_a_scale_each() -> None:
    """Qwen3-30B-A3B: 48 layers with 3 x 128 experts and 4 other matrices that are narrowed; the router stays in F32."""
    both, one = (
        stored(quantised("qwen3-30b-a3b", **each)).file_bytes for each in (compressed(num_bits=4), compressed())
    )
    assert both - one == 4 * 48 * (3 * 128 + 4)


def test_what_the_checkpoint_keeps_wide_stays_in_16_bits() -> None:
    shape = tiny_llama(quantization_config={**MODELOPT, "ignore": ["*self_attn*"]})
    sizes = {term.values["format"]: term.values["elements"] for term in stored(shape).part("weights").terms}
    assert sizes["NVFP4"] == 2 * 3 * 512 * 256
    assert sizes["BF16"] == 2 * (2 * 256 * 256 + 2 * 64 * 256) + 1000 * 256  # the output layer lies on the card, too


def test_experts_in_ram_take_their_scales_along() -> None:
    shape = quantised("qwen3-30b-a3b", **MODELOPT)
    answer = stored(shape, cpu_expert_layers=48)
    sizes = {term.values["format"]: term.values["elements"] for term in answer.host[0].terms}
    assert sizes["NVFP4"] == 48 * 3 * 128 * 2048 * 768
    assert sizes["F32"] == 48 * 3 * 128 * 2
    assert answer.part("weights").bytes + answer.host[0].bytes == answer.file_bytes


@pytest.mark.parametrize(
    "shape",
    [
        published("qwen3-4b"),
        tiny_llama(quantization_config={"quant_method": "fp8"}),
        tiny_llama(intermediate_size=544, quantization_config=MODELOPT),  # 8.5 blocks of 64
    ],
    ids=["wide", "fp8", "rows"],
)
def test_it_is_not_offered_elsewhere(shape: Shape) -> None:
    assert "NVFP4" not in weight_formats(shape)
    with pytest.raises(WorkloadError) as caught:
        stored(shape)
    assert caught.value.key == "not_offered"


def test_presets_do_not_see_the_scales() -> None:
    """`llama-quantize` begins with the unquantised model."""
    wide, narrow = published("qwen3-4b"), quantised("qwen3-4b", **MODELOPT)
    for preset in ("BF16", "Q4_K_M"):
        assert estimate(narrow, Workload(weight_format=preset)).file_bytes == (
            estimate(wide, Workload(weight_format=preset)).file_bytes
        )
