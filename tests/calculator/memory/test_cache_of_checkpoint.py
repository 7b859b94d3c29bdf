"""Checkpoints that say what their cache is stored in: servers follow them where they are told nothing."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from calculator.architecture import Shape, read_config, with_quantization
from calculator.hardware import WeightSource, launch_commands
from calculator.memory import ENGINES, Workload, capacity, estimate
from calculator.workload_form import WorkloadForm

LLAMA = {
    "model_type": "llama",
    "architectures": ["LlamaForCausalLM"],
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "max_position_embeddings": 131072,
    "num_attention_heads": 32,
    "num_hidden_layers": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
}
SCHEME = {"dynamic": False, "num_bits": 8, "type": "float"}  # nvidia/GLM-5.1-NVFP4, config.json
ONE_TOKEN = 32 * 2 * 8 * 128
LINEAR = {"targets": ["Linear"], "weights": {"num_bits": 8, "type": "float", "strategy": "tensor"}}
MODELOPT: dict[str, Any] = {"quant_method": "modelopt", "quant_algo": "FP8"}
NVFP4: dict[str, Any] = {"quant_method": "modelopt", "quant_algo": "NVFP4", "kv_cache_quant_algo": "FP8"}
COMPRESSED: dict[str, Any] = {"quant_method": "compressed-tensors", "config_groups": {"group_0": LINEAR}}


def bytes_of_a_token(shape: Shape, engine: str, kv: str | None = None) -> float:
    answer = estimate(shape, Workload(engine=engine, context_tokens=8192, kv_format=kv))
    return answer.part("kv_cache").bytes / 8192


@pytest.mark.parametrize(
    ("quantization", "vllm", "sglang"),
    [
        pytest.param(MODELOPT, 2, 2, id="silent"),
        pytest.param(MODELOPT | {"kv_cache_scheme": SCHEME}, 1, 1, id="modelopt"),
        pytest.param(MODELOPT | {"kv_cache_quant_algo": "FP8"}, 1, 1, id="modelopt-by-name"),
        pytest.param(MODELOPT | {"kv_cache_quant_algo": None}, 2, 2, id="modelopt-none"),
        pytest.param(MODELOPT | {"kv_cache_scheme": SCHEME | {"num_bits": 4}}, 2, 2, id="modelopt-4-bits"),
        pytest.param(MODELOPT | {"kv_cache_scheme": SCHEME | {"dynamic": True}}, 2, 2, id="modelopt-dynamic"),
        pytest.param(COMPRESSED | {"kv_cache_scheme": SCHEME}, 1, 2, id="compressed-tensors"),
        pytest.param(COMPRESSED | {"kv_cache_scheme": None}, 2, 2, id="compressed-tensors-none"),
    ],
)
def test_the_cache_is_what_the_checkpoint_says(quantization: dict[str, Any], vllm: int, sglang: int) -> None:
    """vLLM, `utils/torch_utils.py` (`get_kv_cache_quant_algo_string`) and `layers/attention/attention.py`; SGLang,
    `mem_cache/kv_cache_dtype.py`, which reads ModelOpt's word alone. Widths in bytes of one number."""
    shape = read_config(LLAMA | {"quantization_config": quantization})
    assert bytes_of_a_token(shape, "vllm") == pytest.approx(ONE_TOKEN * vllm, rel=0.01)
    assert bytes_of_a_token(shape, "sglang") == pytest.approx(ONE_TOKEN * sglang, rel=0.01)
    assert bytes_of_a_token(shape, "vllm", "bf16") == pytest.approx(ONE_TOKEN * 2, rel=0.01)


def test_a_file_of_its_own_says_it_too() -> None:
    """nvidia/Llama-3.1-70B-Instruct-FP8, hf_quant_config.json."""
    inner = {"quant_algo": "FP8", "kv_cache_quant_algo": "FP8", "exclude_modules": ["lm_head"]}
    beside = {"producer": {"name": "modelopt", "version": "0.23.0"}, "quantization": inner}
    assert bytes_of_a_token(read_config(with_quantization(LLAMA, beside)), "vllm") == pytest.approx(ONE_TOKEN, rel=0.01)


@pytest.mark.parametrize(
    ("quantization", "engine", "own_default"),
    [
        pytest.param(COMPRESSED | {"kv_cache_scheme": SCHEME}, "vllm", "fp8", id="compressed-tensors-vllm"),
        pytest.param(COMPRESSED | {"kv_cache_scheme": SCHEME}, "sglang", "bf16", id="compressed-tensors-sglang"),
        pytest.param(MODELOPT | {"kv_cache_scheme": SCHEME}, "vllm", "fp8", id="modelopt-vllm"),
        pytest.param(MODELOPT | {"kv_cache_scheme": SCHEME}, "sglang", "fp8_e4m3", id="modelopt-sglang"),
        pytest.param(NVFP4, "vllm", "fp8", id="nvfp4-vllm"),
        pytest.param(NVFP4, "sglang", "fp8_e4m3", id="nvfp4-sglang"),
    ],
)
def test_only_the_checkpoint_s_own_weights_bring_its_cache(
    quantization: dict[str, Any], engine: str, own_default: str
) -> None:
    """Weights in another format are another checkpoint: figure, note and command are then of a wide cache, unless the
    reader asks otherwise. Widths in bytes of one number."""
    shape = read_config(LLAMA | {"quantization_config": quantization})
    rules = ENGINES[engine]
    own = rules.default_weight_format(shape)
    source = WeightSource(name="llama", native_format=shape.native_format, native_cache="FP8")
    assert {own, "BF16"} < {None, *rules.weight_formats(shape)}
    for weights, asked in product((None, *rules.weight_formats(shape)), (None, *rules.kv_formats(shape))):
        told = estimate(shape, Workload(engine=engine, context_tokens=8192, weight_format=weights, kv_format=asked))
        wanted = asked or (own_default if weights in (None, own) else "bf16")
        assert told.workload.kv_format == wanted
        width = 1 if wanted.startswith("fp8") else 2
        assert told.part("kv_cache").bytes / 8192 == pytest.approx(ONE_TOKEN * width, rel=0.01)
        noted = any(note.key == "cache_of_checkpoint" for note in told.notes)
        assert noted == (own_default != "bf16" and weights in (None, own) and wanted == own_default)
        (command,) = launch_commands(told.workload, source)
        spelled = {"bf16": "bfloat16", "f16": "float16"}.get(wanted, wanted) if engine == "vllm" else wanted
        assert f"--kv-cache-dtype {spelled}" in command.text
        pool = capacity(shape, told.workload.but(kv_format=asked, kv_v_format=asked), 2**30)
        assert pool
        assert pool.request_bytes / 8192 == pytest.approx(ONE_TOKEN * width, rel=0.01)


def test_the_form_offers_the_cache_of_its_weights_first() -> None:
    shape = read_config(LLAMA | {"quantization_config": COMPRESSED | {"kv_cache_scheme": SCHEME}})
    asked: list[dict[str, str]] = [{}, {"weights": "BF16"}, {"weights": "BF16", "kv": "fp8"}]
    caches = [WorkloadForm(shape, {"engine": "vllm"} | words).answers["kv"] for words in asked]
    assert caches == ["fp8", "bf16", "fp8"]


def test_a_wide_cache_has_to_be_asked_for() -> None:
    source = WeightSource(name="llama", native_format="FP8", native_cache="FP8")
    wide = Workload(engine="vllm", weight_format="FP8", kv_format="bf16", kv_v_format="bf16")
    (command,) = launch_commands(wide, source)
    assert "--kv-cache-dtype bfloat16" in command.text
    (command,) = launch_commands(wide, WeightSource(name="llama", native_format="FP8"))
    assert "--kv-cache-dtype" not in command.text
