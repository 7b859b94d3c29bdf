"""Checkpoints that say what their cache is stored in: servers follow them where they are told nothing."""

from __future__ import annotations

from typing import Any

import pytest

from calculator.architecture import Shape, read_config, with_quantization
from calculator.hardware import WeightSource, launch_commands
from calculator.memory import Workload, estimate

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


def test_a_wide_cache_has_to_be_asked_for() -> None:
    source = WeightSource(name="llama", native_format="FP8", native_cache="FP8")
    wide = Workload(engine="vllm", weight_format="FP8", kv_format="bf16", kv_v_format="bf16")
    (command,) = launch_commands(wide, source)
    assert "--kv-cache-dtype bfloat16" in command.text
    (command,) = launch_commands(wide, WeightSource(name="llama", native_format="FP8"))
    assert "--kv-cache-dtype" not in command.text
