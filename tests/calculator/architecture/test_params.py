"""`params.json` of Mistral and Meta, beside the config.json of the same model in the catalogue."""

from __future__ import annotations

import json
from typing import Any

import pytest

from calculator.architecture import ConfigError, read_config
from tests.calculator.memory.shapes import catalogued_config
from tests.reference.brought import FILES

SMALL: dict[str, Any] = json.loads((FILES / "mistral-params.json").read_text(encoding="utf-8"))
META: dict[str, Any] = json.loads((FILES / "meta-params-llama31-8b.json").read_text(encoding="utf-8"))
MIXTRAL: dict[str, Any] = {  # mistralai/Mixtral-8x7B-Instruct-v0.1, params.json
    "dim": 4096,
    "n_layers": 32,
    "head_dim": 128,
    "hidden_dim": 14336,
    "n_heads": 32,
    "n_kv_heads": 8,
    "norm_eps": 1e-05,
    "vocab_size": 32000,
    "moe": {"num_experts_per_tok": 2, "num_experts": 8},
}
MINISTRAL: dict[str, Any] = {  # mistralai/Ministral-8B-Instruct-2410, params.json
    "dim": 4096,
    "n_layers": 36,
    "head_dim": 128,
    "hidden_dim": 12288,
    "n_heads": 32,
    "n_kv_heads": 8,
    "norm_eps": 1e-05,
    "rope_theta": 1e8,
    "vocab_size": 131072,
    "max_seq_len": 32768,
    "sliding_window": [None, 32768, 32768, 32768],
}
VISION: dict[str, Any] = {  # mistralai/Mistral-Small-3.1-24B-Instruct-2503, params.json
    "hidden_size": 1024,
    "num_channels": 3,
    "max_image_size": 1540,
    "patch_size": 14,
    "rope_theta": 10000.0,
    "intermediate_size": 4096,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "adapter_bias": False,
    "image_size": 1540,
    "spatial_merge_size": 2,
    "mm_projector_id": "patch_merge",
}


@pytest.mark.parametrize(
    ("params", "model"),
    [
        (SMALL, "mistral/mistral-small-24b-instruct-2501"),
        (META, "meta/llama-3-1-8b-instruct"),
        (MIXTRAL, "mistral/mixtral-8x7b-instruct-v0-1"),
        (MINISTRAL, "mistral/ministral-8b-instruct-2410"),
        (SMALL | {"vision_encoder": VISION}, "mistral/mistral-small-3-1-24b-instruct-2503"),
    ],
)
def test_as_the_config_of_the_same_model(params: dict[str, Any], model: str) -> None:
    found, known = read_config(params), read_config(catalogued_config(model))
    assert found.total_parameters == known.total_parameters
    assert found.layers == known.layers
    assert found.assumptions[0] == "params_file"


def test_what_is_not_stated_is_not_known() -> None:
    assert read_config(META).context_tokens is None
    assert read_config(SMALL).context_tokens == 131072


def test_fp8_is_read() -> None:
    assert read_config(SMALL | {"quantization": {"qformat_weight": "fp8_e4m3"}}).native_format == "FP8"


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"vocab_size": -1}, "vocab_size"),  # Llama 2
        ({"dim": "4096"}, "dim"),
        ({"n_layers": 600}, "num_hidden_layers"),
        ({"n_layers": 10**9}, "n_layers"),
        ({"n_layers": -1}, "n_layers"),
        ({"multiple_of": 0}, "multiple_of"),
        ({"ffn_dim_multiplier": 1e300}, "ffn_dim_multiplier"),
        ({"ffn_dim_multiplier": [1]}, "ffn_dim_multiplier"),
        ({"sliding_window": [1, 2]}, "sliding_window"),
        ({"mlp_structure": "2_projection"}, "mlp_structure"),
        ({"vision_encoder": {"mm_projector_id": "other"}}, "vision_encoder.mm_projector_id"),
        ({"multimodal": {"whisper_model_args": {"encoder_args": {}}}}, "multimodal.whisper_model_args"),
        ({"moe": {"num_experts": "x"}}, "num_experts"),
    ],
)
def test_what_cannot_be_read_is_named(changed: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigError) as error:
        read_config(META | changed)
    assert key in [fault.key for fault in error.value.faults]
