"""Published files that were refused or misread when they were first brought, by kinds; each with its origin."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from calculator.architecture import ConfigError, read_config
from calculator.labels import config_error_texts

CATALOGUE = Path(__file__).resolve().parents[3] / "catalog" / "data" / "models"
LLAMA_8B: dict[str, Any] = {
    "model_type": "llama",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "max_position_embeddings": 131072,
    "num_attention_heads": 32,
    "num_hidden_layers": 32,
    "num_key_value_heads": 8,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "vocab_size": 128256,
}
PHI3_SMALL_8K: dict[str, Any] = {  # microsoft/Phi-3-small-8k-instruct: no word of tying, and a tile of a kernel
    "model_type": "phi3small",
    "blocksparse_block_size": 64,
    "blocksparse_homo_head_pattern": False,
    "blocksparse_num_local_blocks": 16,
    "blocksparse_triton_kernel_block_size": 64,
    "blocksparse_vert_stride": 8,
    "dense_attention_every_n_layers": 2,
    "ff_dim_multiplier": None,
    "ff_intermediate_size": 14336,
    "hidden_size": 4096,
    "max_position_embeddings": 8192,
    "num_attention_heads": 32,
    "num_hidden_layers": 32,
    "num_key_value_heads": 8,
    "torch_dtype": "bfloat16",
    "vocab_size": 100352,
}
LING_LITE: dict[str, Any] = {  # inclusionAI/Ling, model_chat_config.json
    "model_type": "bailing_moe",
    "first_k_dense_replace": 0,
    "hidden_size": 2048,
    "intermediate_size": 5632,
    "max_position_embeddings": 16384,
    "moe_intermediate_size": 1408,
    "norm_head": True,
    "norm_softmax": False,
    "num_attention_heads": 16,
    "num_experts": 64,
    "num_experts_per_tok": 6,
    "num_hidden_layers": 28,
    "num_key_value_heads": 4,
    "num_shared_experts": 2,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "use_bias": False,
    "use_qkv_bias": False,
    "vocab_size": 126464,
}
MINICPM3: dict[str, Any] = {  # openbmb/MiniCPM3-4B as first published: without `v_head_dim`
    "model_type": "minicpm3",
    "hidden_size": 2560,
    "intermediate_size": 6400,
    "kv_lora_rank": 256,
    "max_position_embeddings": 32768,
    "num_attention_heads": 40,
    "num_hidden_layers": 62,
    "num_key_value_heads": 40,
    "q_lora_rank": 768,
    "qk_nope_head_dim": 64,
    "qk_rope_head_dim": 32,
    "vocab_size": 73448,
}


@pytest.mark.parametrize(
    ("config", "total", "assumes"),
    [
        # Hugging Face counts 7.39 B: the output is the embedding (vLLM 0.8, `models/phi3_small.py`, `load_weights`).
        pytest.param(PHI3_SMALL_8K, 7_392_272_384, (), id="Phi-3-small-8k"),
        pytest.param(LING_LITE, 16_801_974_272, (), id="Ling-lite"),  # 16.8 B by its model card
        pytest.param(MINICPM3, 4_073_875_968, ("default_taken:v_head_dim = 64",), id="MiniCPM3-4B"),
    ],
)
def test_a_published_file_is_read(config: dict[str, Any], total: int, assumes: tuple[str, ...]) -> None:
    shape = read_config(config)
    assert (shape.total_parameters, shape.assumptions) == (total, assumes)


def test_a_whole_dump_of_an_encoders_settings_ties_nothing() -> None:
    """meta-llama/Llama-3.2-11B-Vision repeats every key of a configuration in its `vision_config`."""
    text = {key: value for key, value in LLAMA_8B.items() if key != "model_type"}
    config = {
        "model_type": "mllama",
        "text_config": text | {"model_type": "mllama_text_model", "cross_attention_layers": [3, 8]},
        "vision_config": {"model_type": "mllama_vision_model", "tie_word_embeddings": True},
    }
    without = config | {"vision_config": {"model_type": "mllama_vision_model"}}
    assert read_config(config).total_parameters == read_config(without).total_parameters


def test_code_beside_the_weights_may_tie_where_the_file_is_silent() -> None:
    """A class of transformers is known; one that lies beside the weights is not here to be asked, so it is shown."""
    config = {key: value for key, value in LLAMA_8B.items() if key != "tie_word_embeddings"}
    said = read_config(config | {"model_type": "aquila"}).assumptions
    assert said == ("default_taken:tie_word_embeddings = False",)
    assert read_config(config).assumptions == ()


def test_a_missing_key_is_named_once() -> None:
    with pytest.raises(ConfigError) as caught:
        read_config({"model_type": "llama", "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 10})
    named = [fault.key for fault in caught.value.faults]
    assert len(named) == len(set(named))


def test_a_null_or_a_size_left_out_that_is_filled_in_is_shown() -> None:
    """Published files of these types state both; transformers gives every query head keys of its own."""
    without = {key: value for key, value in LLAMA_8B.items() if key != "num_key_value_heads"}
    for config in (without, without | {"num_key_value_heads": None}):
        assert read_config(config).assumptions == ("default_taken:num_key_value_heads = 32",)
    without = {key: value for key, value in LING_LITE.items() if key != "num_shared_experts"}
    assert read_config(without).assumptions == ("default_taken:n_shared_experts = 0",)
    null = without | {"num_shared_experts": None}
    assert read_config(null).assumptions == ("default_taken:num_shared_experts = 0",)
    gpt2 = {"model_type": "gpt2", "n_embd": 768, "n_head": 12, "n_layer": 12, "n_positions": 1024, "vocab_size": 50257}
    assert read_config(gpt2).assumptions == ()  # as all files of its type


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("intermediate_size", 2**27),
        ("hidden_size", 2**26),
        ("head_dim", 2**24),
        ("num_key_value_heads", 2**15),
    ],
)
def test_a_size_that_no_machine_could_hold_is_named(key: str, value: int) -> None:
    """Each number is in bounds by itself: 2^27 is a hundred times the largest published size of any kind."""
    config = LLAMA_8B | {"num_attention_heads": 2**15, "head_dim": 4096} if key == "num_key_value_heads" else LLAMA_8B
    with pytest.raises(ConfigError) as caught:
        read_config(config | {"num_hidden_layers": 126, key: value})
    assert (caught.value.key, caught.value.reason) == (key, "no_machine")
    assert config_error_texts(caught.value)


@pytest.mark.parametrize("where", ["outside", "inside"])
def test_no_more_than_a_whole_head_is_rotated(where: str) -> None:
    stated: dict[str, Any] = {"partial_rotary_factor": 10**18}
    with pytest.raises(ConfigError) as caught:
        read_config(LLAMA_8B | (stated if where == "outside" else {"rope_parameters": stated}))
    assert (caught.value.key, caught.value.reason) == ("partial_rotary_factor", "out_of_range")


def test_a_stretched_context_is_bounded() -> None:
    scaling = {"type": "yarn", "factor": 4, "original_max_position_embeddings": 10**30}
    with pytest.raises(ConfigError) as caught:
        read_config(LLAMA_8B | {"rope_scaling": scaling})
    assert (caught.value.key, caught.value.reason) == ("rope_scaling", "out_of_range")


@pytest.mark.parametrize("change", ["deleted", "null"])
def test_a_list_of_layers_that_files_of_its_type_state_is_missed(change: str) -> None:
    """MiniMaxAI/MiniMax-M1-40k says of each of its 80 layers whether it attends linearly."""
    config = json.loads((CATALOGUE / "minimax" / "minimax-m1-40k" / "config.json").read_text(encoding="utf-8"))
    assert read_config(config).assumptions == ()
    del config["attn_type_list"]
    said = read_config(config | ({"attn_type_list": None} if change == "null" else {})).assumptions
    assert said == ("default_taken:attn_type_list = []",)


INT4_GROUPS = {"num_bits": 4, "type": "int", "strategy": "group", "group_size": 128, "symmetric": True}
AWQ = {"quant_method": "awq", "bits": 4, "group_size": 128, "zero_point": True}


NO_GROUPS = ["128", "x", [128], {}, True, 3, 1, 10**9, 128.5]
METHODS = ("awq", "gptq", "auto-round", "compressed-tensors")


@pytest.mark.parametrize(
    ("method", "value"),
    [(method, value) for method in METHODS for value in [*NO_GROUPS, None, "left out"]]
    + [("torchao", value) for value in NO_GROUPS],  # which has a default of its own
)
def test_a_group_that_is_none_is_named(method: str, value: object) -> None:
    """How many weights share a scale decides up to a third of the bytes; no quantiser packs other groups than these."""
    if method == "compressed-tensors":
        weights: dict[str, Any] = {**INT4_GROUPS, "group_size": value}
        settings: dict[str, Any] = {"config_groups": {"group_0": {"targets": ["Linear"], "weights": weights}}}
        key = "quantization_config.config_groups.group_0.weights.group_size"
    elif method == "torchao":
        weights = {"group_size": value}
        settings = {"quant_type": {"default": {"_type": "Int4WeightOnlyConfig", "_data": weights}}}
        key = "quantization_config.quant_type.default._data.group_size"
    else:
        weights = settings = {**AWQ, "group_size": value}
        key = "quantization_config.group_size"
    if value == "left out":
        del weights["group_size"]
    with pytest.raises(ConfigError) as caught:
        read_config(LLAMA_8B | {"quantization_config": {**settings, "quant_method": method}})
    assert caught.value.key == key
    assert all(config_error_texts(caught.value))


@pytest.mark.parametrize("value", [-1, 32, 64, 128, 128.0, 1024])
def test_groups_that_there_are(value: object) -> None:
    read_config(LLAMA_8B | {"quantization_config": {**AWQ, "group_size": value}})


def test_a_size_that_is_stated_twice_and_differs_is_shown() -> None:
    """transformers' class reads its own spelling and keeps the other as a word that means nothing."""
    said = read_config(LLAMA_8B | {"n_kv_heads": 4}).assumptions
    assert said == ("stated_twice:num_key_value_heads = 8, n_kv_heads = 4",)
    assert read_config(LLAMA_8B | {"n_kv_heads": 8}).assumptions == ()
    assert read_config(LLAMA_8B | {"seq_length": 8192}).assumptions == ()  # Qwen's files: trained for less


def test_command_r_says_its_longest_context_by_another_name() -> None:
    """c4ai-command-r-plus reserves 8,192 positions and is served with 131,072 (vLLM, `models/commandr.py`)."""
    config = json.loads((CATALOGUE / "cohere" / "c4ai-command-r-plus" / "config.json").read_text(encoding="utf-8"))
    assert (config["max_position_embeddings"], config["model_max_length"]) == (8192, 131072)
    shape = read_config(config)
    assert (shape.context_tokens, shape.rotary[0].positions) == (131072, 131072)
