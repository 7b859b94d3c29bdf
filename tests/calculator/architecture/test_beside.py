"""`hf_quant_config.json` beside a config.json."""

from __future__ import annotations

from typing import Any

import pytest

from calculator.accuracy.references import reference_config
from calculator.architecture import (
    ConfigError,
    is_quantization,
    parse_beside,
    read_config,
    with_quantization,
    with_stored,
)
from calculator.architecture.beside import stored_bytes
from tests.calculator.memory.shapes import catalogued_config
from tests.reference.brought import FILES

NVFP4 = {
    "producer": {"name": "modelopt", "version": "0.37"},
    "quantization": {
        "quant_algo": "NVFP4",
        "kv_cache_quant_algo": "FP8",
        "group_size": 16,
        "exclude_modules": ["lm_head", "model.layers.0.self_attn*"],
    },
}


def stored(shape: Any, role: str, layer: int) -> set[str]:
    return {t.dtype for t in shape.tensors if t.role == role and t.layer == layer and t.kind == "weight"}


def test_what_only_the_second_file_says() -> None:
    shape = read_config(with_quantization(reference_config("llama-3-1-8b-instruct"), NVFP4))
    assert shape.native_format == "NVFP4"
    assert (stored(shape, "attn_q", 0), stored(shape, "attn_q", 1)) == ({"BF16"}, {"NVFP4"})


def test_a_mixture_whose_list_stands_in_the_second_file() -> None:
    """`w-qwen36-27b-modelopt-mixed.json` says MIXED_PRECISION alone; with a list of its modules it is known."""
    config = parse_beside((FILES / "w-qwen36-27b-modelopt-mixed.json").read_bytes())
    modules = {
        f"model.language_model.layers.{layer}.mlp.{name}_proj": {"quant_algo": "NVFP4", "group_size": 16}
        for layer in range(64)
        for name in ("gate", "up", "down")
    }
    listed = {"quantization": {"quant_algo": "MIXED_PRECISION", "quantized_layers": modules}}
    shape = read_config(with_quantization(config, listed))
    assert (stored(shape, "ffn_up", 63), stored(shape, "ssm_out", 0)) == ({"NVFP4"}, {"BF16"})
    assert "modules_not_listed" not in shape.assumptions


@pytest.mark.parametrize(
    ("file", "expected"),
    [(NVFP4, True), ({"quant_algo": "FP8"}, True), ({"model_type": "llama", "quant_algo": "FP8"}, False), ({}, False)],
)
def test_which_of_two_files_it_is(file: dict[str, Any], expected: bool) -> None:
    assert is_quantization(file) is expected


@pytest.mark.parametrize(("text", "reason"), [("{", "not_json"), ("{}", "not_a_quantization"), ("[]", "not_an_object")])
def test_its_faults_name_it(text: str, reason: str) -> None:
    with pytest.raises(ConfigError) as error:
        with_quantization({}, parse_beside(text))
    assert (error.value.key, error.value.reason) == ("hf_quant_config.json", reason)


@pytest.mark.parametrize(
    ("name", "word"),
    [("nvidia/Llama-3.1-8B-Instruct-NVFP4", "NVFP4"), ("x/y-FP8", "FP8"), ("x/Y-AWQ", "AWQ"), ("x/y-w4a16", "w4a16")],
)
def test_a_name_that_says_what_the_file_does_not(name: str, word: str) -> None:
    config = reference_config("llama-3-1-8b-instruct") | {"_name_or_path": name}
    assert f"name_says_quantised:{word}" in read_config(config).assumptions
    known = read_config(with_quantization(config, NVFP4))
    assert not any(key.startswith("name_says") for key in known.assumptions)


@pytest.mark.parametrize("name", ["meta-llama/Llama-3.1-8B", "/data/hawqs", "x/intake-8", "x/Model-4B-It"])
def test_a_name_that_says_nothing(name: str) -> None:
    config = reference_config("llama-3-1-8b-instruct") | {"_name_or_path": name}
    assert not any(key.startswith("name_says") for key in read_config(config).assumptions)


LLAMA_INDEX = {
    "metadata": {"total_size": 16060522496},
    "weight_map": {"lm_head.weight": "model-00004-of-00004.safetensors"},
}


@pytest.mark.parametrize(
    ("beside", "size"),
    [
        (LLAMA_INDEX, 16060522496),  # meta-llama/Llama-3.1-8B-Instruct: 8,030,261,248 parameters in two bytes
        ({"metadata": {"total_size": 16060522496.0}, "weight_map": {}}, 16060522496),
        (
            {
                "__metadata__": {"format": "pt"},
                "a": {"dtype": "BF16", "shape": [128256, 4096], "data_offsets": [0, 1050673152]},
                "b": {"dtype": "BF16", "shape": [4096], "data_offsets": [1050673152, 1050681344]},
            },
            1050681344,
        ),
    ],
)
def test_how_much_a_checkpoint_holds(beside: dict[str, Any], size: int) -> None:
    assert stored_bytes(beside) == size
    shape = with_stored(read_config(catalogued_config("meta/llama-3-1-8b-instruct")), beside)
    assert f"{size:,} B" in shape.assumptions[-1]


@pytest.mark.parametrize(
    "beside",
    [
        {"weight_map": {}},
        {"metadata": {"total_size": "16"}, "weight_map": {}},
        {"metadata": {"total_size": 1e300}, "weight_map": {}},
        {"metadata": {"total_size": -1}, "weight_map": {}},
        {"a": {"dtype": "F32", "shape": [], "data_offsets": [8, 4]}},
        {"a": {"dtype": "F32", "shape": [], "data_offsets": "0"}},
    ],
)
def test_what_does_not_say_how_much(beside: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        stored_bytes(beside)
