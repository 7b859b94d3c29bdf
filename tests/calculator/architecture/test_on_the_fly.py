"""Checkpoints by methods that transformers alone loads."""

from __future__ import annotations

from typing import Any

import pytest

from calculator.accuracy.references import reference_config
from calculator.architecture import Shape, read_config
from calculator.memory import Workload, estimate
from tests.calculator.memory.shapes import catalogued_config

LINEAR = 6_979_321_856  # weights of Llama 3.1 8B's layers but norms
OUTPUTS = 32 * (4096 + 1024 + 1024 + 4096 + 14336 + 14336 + 4096)
WIDE = 2 * (2 * 128_256 * 4096 + 65 * 4096)  # embedding, head and norms in 16 bits
HQQ = {"nbits": 4, "group_size": 64}


def quantised(**settings: Any) -> Shape:
    return read_config({**reference_config("llama-3-1-8b-instruct"), "quantization_config": settings})


def file_bytes(shape: Shape, engine: str = "transformers") -> int:
    return estimate(shape, Workload(engine=engine, context_tokens=4096)).file_bytes


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        # Two in a byte, and a scale and a zero point in 16 bits for 64: 4.5 bits, as Mobius Labs state for this model.
        ({"quant_method": "hqq", "quant_config": {"weight_quant_params": HQQ}}, LINEAR * 9 // 16),
        ({"quant_method": "hqq", **HQQ}, LINEAR * 9 // 16),
        ({"quant_method": "eetq", "weights": "int8"}, LINEAR + 2 * OUTPUTS),
        ({"quant_method": "quanto", "weights": "int8"}, LINEAR + 2 * OUTPUTS),
        ({"quant_method": "quanto", "weights": "float8"}, LINEAR + 2 * OUTPUTS),
        ({"quant_method": "quanto", "weights": "int4"}, LINEAR // 2 + LINEAR // 128 * 4),
        ({"quant_method": "bitnet", "modules_to_not_convert": None}, LINEAR // 4 + 32 * 7 * 2),
    ],
)
def test_bytes_of_each(settings: dict[str, Any], expected: int) -> None:
    shape = quantised(**settings)
    assert file_bytes(shape) == expected + WIDE
    assert shape.assumptions == (f"transformers_checkpoint:{settings['quant_method']}",)


def test_published_sizes() -> None:
    """HF1BitLLM/Llama3-8B-1.58-100B-tokens: model.safetensors of 3.85 GB. Llama-3.1-8b-instruct_4bitgs64_hqq of Mobius
    Labs: 6.1 GB of memory."""
    assert file_bytes(quantised(quant_method="bitnet")) / 1e9 == pytest.approx(3.85, abs=0.005)
    hqq = quantised(quant_method="hqq", quant_config={"weight_quant_params": HQQ})
    assert file_bytes(hqq) / 1e9 == pytest.approx(6.1, abs=0.1)


def test_modules_with_their_own_settings() -> None:
    wide_heads = {"self_attn.q_proj": {"weight_quant_params": HQQ}, "mlp.up_proj": {"nbits": 8, "group_size": 128}}
    shape = quantised(quant_method="hqq", quant_config=wide_heads, skip_modules=["lm_head"])
    stored = {t.role: t.dtype for t in shape.tensors if t.kind == "weight" and t.layer == 3}
    assert (stored["attn_q"], stored["ffn_up"], stored["attn_k"]) == ("INT4", "INT8", "BF16")


@pytest.mark.parametrize("engine", ["vllm", "sglang"])
def test_servers_do_not_load_them(engine: str) -> None:
    """They stop at a `quant_method` that they do not know."""
    wide = file_bytes(quantised(quant_method="aqlm"), engine)
    assert file_bytes(quantised(quant_method="eetq"), engine) == wide


@pytest.mark.parametrize(
    ("mode", "assumed"),
    [("offline", ("unpacked_when_loaded:bitnet",)), ("online", ()), (None, ("unpacked_when_loaded:bitnet",))],
)
def test_bitnet_that_is_wide_in_memory(mode: str | None, assumed: tuple[str, ...]) -> None:
    """microsoft/bitnet-b1.58-2B-4T and its twin in 16 bits name `autobitlinear`, which unpacks, or rounds wide weights
    at every step (transformers, `integrations/bitnet.py`, `AutoBitLinear`, `BitNetDeserialize`)."""
    shape = quantised(quant_method="bitnet", linear_class="autobitlinear", quantization_mode=mode)
    assert (shape.native_format, shape.assumptions) == ("BF16", assumed)


@pytest.mark.parametrize(
    "settings",
    [
        {"quant_method": "hqq", "quant_config": {"weight_quant_params": {"nbits": 3, "group_size": 64}}},
        {"quant_method": "hqq", "quant_config": {"self_attn.q_proj": {"weight_quant_params": {"nbits": 3}}}},
        {"quant_method": "hqq", "quant_config": {"weight_quant_params": HQQ, "scale_quant_params": {"nbits": 8}}},
        {"quant_method": "quanto", "weights": "int3"},
        {"quant_method": "eetq", "weights": "int4"},
    ],
)
def test_what_is_packed_otherwise_is_named(settings: dict[str, Any]) -> None:
    assert quantised(**settings).assumptions == (f"method_not_modelled:{settings['quant_method']}",)


@pytest.mark.parametrize(
    "quantization",
    [
        {"quant_method": "hqq", "quant_config": {"weight_quant_params": {"nbits": 4, "group_size": 64}}},
        {"quant_method": "quanto", "weights": "int4"},
    ],
)
def test_groups_that_do_not_fill_a_row_leave_nothing_wide(quantization: dict[str, object]) -> None:
    """HQQ groups all numbers of a matrix (`Quantizer.quantize`), quanto falls back to smaller groups (`QModuleMixin`):
    4,304 inputs of Gemma 3's encoder are no multiple of 64 or 128. torchao leaves such a matrix as it is."""
    shape = read_config({**catalogued_config("google/gemma-3-4b-it"), "quantization_config": quantization})
    uneven = [tensor for tensor in shape.tensors_of("vision") if tensor.shape[-1] == 4304 and len(tensor.shape) == 2]
    assert uneven
    assert {tensor.dtype for tensor in uneven} == {"INT4"}
