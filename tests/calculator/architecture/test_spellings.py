"""One model, several ways to write it down: the published file, what transformers 5 writes, wrapped and flat."""

from __future__ import annotations

from typing import Any

import pytest

from calculator.architecture import Shape, read_config

LLAMA: dict[str, Any] = {
    "model_type": "llama",
    "hidden_size": 64,
    "intermediate_size": 160,
    "num_hidden_layers": 3,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "vocab_size": 1000,
    "max_position_embeddings": 4096,
}
NEMOTRON: dict[str, Any] = {
    "model_type": "nemotron_h",
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "vocab_size": 1000,
    "ssm_state_size": 16,
    "conv_kernel": 4,
    "n_groups": 2,
    "mamba_num_heads": 4,
    "mamba_head_dim": 16,
    "num_hidden_layers": 4,
}
JAMBA: dict[str, Any] = {
    "model_type": "granitemoehybrid",
    "hidden_size": 64,
    "intermediate_size": 32,
    "shared_intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_local_experts": 4,
    "num_experts_per_tok": 2,
    "vocab_size": 100,
    "mamba_n_heads": 8,
    "mamba_d_state": 16,
    "mamba_d_conv": 4,
}


def same(one: Shape, other: Shape) -> bool:
    return one.layers == other.layers and one.tensors == other.tensors and one.context_tokens == other.context_tokens


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(
            LLAMA,
            {**LLAMA, "rope_parameters": {"rope_theta": 1e4, "rope_type": "default"}, "dtype": "bfloat16"},
            id="rope_parameters",
        ),
        pytest.param(
            LLAMA,
            {**LLAMA, "rope_scaling": {"factor": 8.0, "rope_type": "llama3"}, "torch_dtype": "bfloat16"},
            id="rope_scaling",
        ),
        pytest.param(LLAMA, {**LLAMA, "head_dim": None, "eos_token_id": [1, 2], "bos_token_id": 0}, id="null head_dim"),
        pytest.param(
            {**NEMOTRON, "hybrid_override_pattern": "M-*M"},
            {**NEMOTRON, "layers_block_type": ["mamba", "mlp", "attention", "mamba"]},
            id="pattern and words",
        ),
        pytest.param(
            {**NEMOTRON, "hybrid_override_pattern": "M-*M"},
            {**NEMOTRON, "layers_block_type": ["linear_attention", "mlp", "full_attention", "linear_attention"]},
            id="pattern and new words",
        ),
        pytest.param(
            {**JAMBA, "layer_types": ["mamba", "attention"]},
            {**JAMBA, "layer_types": ["linear_attention", "full_attention"]},
            id="mamba and linear_attention",
        ),
    ],
)
def test_spellings_agree(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert same(read_config(one), read_config(other))


def test_a_wrapper_may_hold_its_text_flat_or_apart() -> None:
    text = {key: value for key, value in LLAMA.items() if key != "model_type"}
    vision = {"depth": 2, "embed_dim": 32, "hidden_size": 64, "num_heads": 4, "patch_size": 14, "mlp_ratio": 4}
    flat = read_config({"model_type": "qwen2_vl", **text, "vision_config": vision})
    apart = read_config(
        {"model_type": "qwen2_vl", "text_config": {**text, "model_type": "qwen2_vl_text"}, "vision_config": vision}
    )
    assert same(flat, apart)
    assert sum(tensor.elements for tensor in flat.tensors_of("vision")) > 0


def test_what_the_wrapper_says_of_tied_embeddings_holds() -> None:
    text = {**LLAMA, "model_type": "mistral"}
    vision = {
        "model_type": "pixtral",
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 1,
        "patch_size": 2,
    }
    config = {"model_type": "mistral3", "text_config": text, "vision_config": vision}
    assert not read_config(config).tied_embeddings
    assert read_config({**config, "tie_word_embeddings": True}).tied_embeddings


def test_nested_parts_take_their_types_defaults_and_flat_ones_do_not() -> None:
    """gemma-3-4b-it's own config.json states only these of its text sizes; the rest are the class's defaults."""
    text = {"model_type": "gemma3_text", "hidden_size": 2560, "intermediate_size": 10240, "num_hidden_layers": 34}
    vision = {
        "model_type": "siglip_vision_model",
        "hidden_size": 1152,
        "intermediate_size": 4304,
        "num_attention_heads": 16,
        "num_hidden_layers": 27,
        "image_size": 896,
        "patch_size": 14,
        "vision_use_head": False,
    }
    shape = read_config(
        {"model_type": "gemma3", "text_config": {**text, "sliding_window": 1024}, "vision_config": vision}
    )
    assert shape.total_parameters == 4_300_079_472


def test_untying_adds_one_matrix() -> None:
    tied = read_config({**LLAMA, "tie_word_embeddings": True})
    untied = read_config({**LLAMA, "tie_word_embeddings": False})
    assert untied.total_parameters - tied.total_parameters == 1000 * 64


def test_more_active_experts_change_only_the_active_count() -> None:
    config = {**LLAMA, "model_type": "mixtral", "num_local_experts": 8, "num_experts_per_tok": 2}
    two, four = read_config(config), read_config({**config, "num_experts_per_tok": 4})
    assert two.total_parameters == four.total_parameters
    assert four.active_parameters - two.active_parameters == 3 * 2 * 3 * 64 * 160  # layers x experts x matrices
