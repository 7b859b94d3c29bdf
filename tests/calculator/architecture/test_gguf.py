"""GGUF headers: the shape and the tensors of a file against those of the config.json that it is made from."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest

from calculator.architecture import ConfigError, Shape, parse_config_text, read_config
from calculator.architecture.gguf_file import TYPES
from calculator.memory import Workload, estimate
from calculator.memory.blocks import BLOCKS
from tests.calculator.architecture.gguf_files import binary, header, tensors_of
from tests.calculator.memory.shapes import catalogued_config

# Each as the converter writes it (llama.cpp, `conversion/base.py` and the module of the family): architecture and what
# stands beside the keys that `written` takes over from every config.
FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "meta/llama-3-1-8b-instruct": ("llama", {}),
    "meta/llama-3-2-1b-instruct": ("llama", {}),
    "mistral/mixtral-8x7b-instruct-v0-1": ("llama", {"expert_count": 8, "expert_used_count": 2}),
    "qwen/qwen2-5-7b-instruct": ("qwen2", {}),
    "qwen/qwen3-8b": ("qwen3", {}),
    "qwen/qwen3-30b-a3b": (
        "qwen3moe",
        {"expert_count": 128, "expert_used_count": 8, "expert_feed_forward_length": 768},
    ),
    "google/gemma-2-9b-it": ("gemma2", {}),
    "google/gemma-3-27b-it": ("gemma3", {}),
    "microsoft/phi-4-mini-instruct": ("phi3", {}),
    "openai/gpt-oss-20b": (
        "gpt-oss",
        {"expert_count": 32, "expert_used_count": 4, "expert_feed_forward_length": 2880},
    ),
    "zhipu/glm-4-5-air": (
        "glm4moe",
        {"expert_count": 128, "expert_used_count": 8, "expert_feed_forward_length": 1408, "expert_shared_count": 1}
        | {"leading_dense_block_count": 1, "expert_weights_norm": True, "nextn_predict_layers": 1, "block_count": 47},
    ),
    "deepseek/deepseek-v3": (
        "deepseek2",
        {"expert_count": 256, "expert_used_count": 8, "expert_feed_forward_length": 2048, "expert_shared_count": 1}
        | {"leading_dense_block_count": 3, "expert_group_count": 8, "expert_group_used_count": 4}
        | {"expert_weights_norm": True, "expert_weights_scale": 2.5}
        | {"attention.q_lora_rank": 1536, "attention.kv_lora_rank": 512, "rope.dimension_count": 64}
        | {"attention.key_length": 576, "attention.value_length": 512, "attention.key_length_mla": 192}
        | {"attention.value_length_mla": 128, "attention.head_count_kv": 1},
    ),
    "qwen/qwen3-5-27b": ("qwen35", {}),
    "qwen/qwen3-5-35b-a3b": ("qwen35moe", {}),
    "qwen/qwen2-vl-7b-instruct": ("qwen2vl", {}),
    "qwen/qwen2-5-vl-32b-instruct": ("qwen2vl", {}),
    "qwen/qwen3-vl-8b-instruct": ("qwen3vl", {"n_deepstack_layers": 3}),
    "qwen/qwen3-vl-30b-a3b-instruct": (
        "qwen3vlmoe",
        {"expert_count": 128, "expert_used_count": 8, "expert_feed_forward_length": 768, "n_deepstack_layers": 3},
    ),
    "tencent/hunyuan-7b-instruct": ("hunyuan-dense", {}),
    "lg/exaone-4-0-1-2b": ("exaone4", {}),
    "lg/exaone-4-0-32b": ("exaone4", {"attention.sliding_window_pattern": ([True] * 3 + [False]) * 16}),
    "baidu/ernie-4-5-0-3b-pt": ("ernie4_5", {}),
    "internlm/internlm2-5-7b-chat": ("internlm2", {}),
    "ai2/olmoe-1b-7b-0924-instruct": ("olmoe", {"expert_count": 64, "expert_used_count": 8}),
    "ibm/granite-3-1-3b-a800m-instruct": ("granitemoe", {"expert_count": 40, "expert_used_count": 8}),
    "bigcode/starcoder2-7b": ("starcoder2", {}),
    "rednote/dots-llm1-inst": (
        "dots1",
        {"expert_count": 128, "expert_used_count": 6, "expert_feed_forward_length": 1408, "expert_shared_count": 2}
        | {"leading_dense_block_count": 1},
    ),
    "minimax/minimax-m2": (
        "minimax-m2",
        {"expert_count": 256, "expert_used_count": 8, "expert_feed_forward_length": 1536},
    ),
    "liquid/lfm2-1-2b": ("lfm2", {}),
    "liquid/lfm2-8b-a1b": ("lfm2moe", {}),
    "meta/llama-4-scout-instruct": ("llama4", {}),
    "meta/llama-4-maverick-instruct": ("llama4", {}),
    "baidu/ernie-4-5-21b-a3b-pt": (
        "ernie4_5-moe",
        {"expert_count": 64, "expert_used_count": 6, "expert_feed_forward_length": 1536, "expert_shared_count": 2}
        | {"interleave_moe_layer_step": 1, "leading_dense_block_count": 1, "expert_shared_feed_forward_length": 3072},
    ),
    "nvidia/nvidia-nemotron-nano-9b-v2": ("nemotron_h", {}),
    "nvidia/nvidia-nemotron-3-nano-30b-a3b-bf16": ("nemotron_h_moe", {}),
    "google/gemma-4-31b-it": ("gemma4", {}),
    "google/gemma-4-26b-a4b-it": ("gemma4", {}),
    "google/gemma-4-e4b-it": ("gemma4", {}),
    "google/gemma-4-e2b-it": ("gemma4", {}),
    "inclusionai/ling-mini-2-0": (
        "bailingmoe2",
        {"expert_count": 256, "expert_used_count": 8, "expert_feed_forward_length": 512, "expert_shared_count": 1}
        | {"expert_shared_feed_forward_length": 512, "leading_dense_block_count": 1, "expert_weights_norm": True},
    ),
}


def written(config: dict[str, Any], architecture: str, more: dict[str, Any]) -> dict[str, Any]:
    text = config.get("text_config", config)
    keys = {
        "block_count": "num_hidden_layers",
        "context_length": "max_position_embeddings",
        "embedding_length": "hidden_size",
        "feed_forward_length": "intermediate_size",
        "attention.head_count": "num_attention_heads",
        "attention.head_count_kv": "num_key_value_heads",
        "attention.key_length": "head_dim",
        "attention.sliding_window": "sliding_window",
    }
    own = {new: text[old] for new, old in keys.items() if text.get(old) is not None}
    if architecture.startswith("qwen35"):
        own |= {
            "ssm.conv_kernel": text["linear_conv_kernel_dim"],
            "ssm.state_size": text["linear_key_head_dim"],
            "ssm.group_count": text["linear_num_key_heads"],
            "ssm.time_step_rank": text["linear_num_value_heads"],
            "ssm.inner_size": text["linear_value_head_dim"] * text["linear_num_value_heads"],
            "full_attention_interval": 4,
        }
    if architecture == "llama4":
        own |= {"feed_forward_length": text["intermediate_size_mlp"], "expert_count": text["num_local_experts"]}
        own |= {"expert_used_count": text["num_experts_per_tok"]}
        own |= {"expert_feed_forward_length": text["intermediate_size"]}
        own |= {"interleave_moe_layer_step": text["interleave_moe_layer_step"]}
    if architecture.startswith("nemotron_h"):
        own |= nemotron_h_keys(text)
    if architecture == "lfm2moe":
        heads, kinds = text["num_key_value_heads"], text["layer_types"]
        own |= {"attention.head_count_kv": [heads * (kind != "conv") for kind in kinds]}
        own |= {"shortconv.l_cache": text["conv_L_cache"], "leading_dense_block_count": text["num_dense_layers"]}
        own |= {"expert_count": text["num_experts"], "expert_used_count": text["num_experts_per_tok"]}
        own |= {"expert_feed_forward_length": text["moe_intermediate_size"]}
    if architecture == "lfm2":
        own |= {
            "attention.head_count_kv": [text["num_key_value_heads"] * (kind != "conv") for kind in text["layer_types"]]
        }
        own |= {"feed_forward_length": lfm2_size(text), "shortconv.l_cache": text["conv_L_cache"]}
    if architecture == "gemma4":
        own |= gemma4_keys(text)
    if architecture == "qwen35moe":
        own |= {"expert_count": text["num_experts"], "expert_used_count": text["num_experts_per_tok"]}
        own |= {"expert_feed_forward_length": text["moe_intermediate_size"]}
        own |= {"expert_shared_feed_forward_length": text["shared_expert_intermediate_size"]}
    own |= more
    return {"general.architecture": architecture} | {f"{architecture}.{key}": value for key, value in own.items()}


def nemotron_h_keys(text: dict[str, Any]) -> dict[str, Any]:
    """`NemotronHModel.set_gguf_parameters` in `conversion/nemotron.py`."""
    letters = {"M": "mamba", "*": "attention", "-": "mlp", "E": "moe"}
    kinds = text.get("layers_block_type") or [letters[letter] for letter in text["hybrid_override_pattern"]]
    size = text.get("moe_intermediate_size") or text["intermediate_size"]
    experts = {
        "expert_count": text.get("n_routed_experts"),
        "expert_used_count": text.get("num_experts_per_tok"),
        "expert_feed_forward_length": text.get("moe_intermediate_size"),
        "expert_shared_feed_forward_length": text.get("moe_shared_expert_intermediate_size"),
        "expert_shared_count": text.get("n_shared_experts"),
        "expert_weights_norm": text.get("norm_topk_prob"),
        "expert_weights_scale": text.get("routed_scaling_factor"),
        "expert_group_count": text.get("n_group"),
    }
    return {
        "attention.head_count_kv": [text["num_key_value_heads"] * (kind == "attention") for kind in kinds],
        "feed_forward_length": [size * (kind in ("mlp", "moe")) for kind in kinds],
        "ssm.conv_kernel": text["conv_kernel"],
        "ssm.state_size": text["ssm_state_size"],
        "ssm.group_count": text["n_groups"],
        "ssm.inner_size": text["mamba_num_heads"] * text["mamba_head_dim"],
        "ssm.time_step_rank": text["mamba_num_heads"],
        **{key: value for key, value in experts.items() if value is not None},
    }


def lfm2_size(text: dict[str, Any]) -> int:
    """`LFM2Model._add_feed_forward_length` in `conversion/lfm2.py`."""
    size = 2 * text["intermediate_size"] // 3
    return 256 * -(-size // 256)


def gemma4_keys(text: dict[str, Any]) -> dict[str, Any]:
    """`Gemma4Model.set_gguf_parameters` in `conversion/gemma.py`."""
    windows = [kind == "sliding_attention" for kind in text["layer_types"]]
    number, shared = len(windows), text["num_kv_shared_layers"]
    heads, heads_global = text["num_key_value_heads"], text.get("num_global_key_value_heads")
    size, wide = text["intermediate_size"], 2 if text["use_double_wide_mlp"] else 1
    experts = {
        "expert_count": text.get("num_experts"),
        "expert_used_count": text.get("top_k_experts"),
        "expert_feed_forward_length": text.get("moe_intermediate_size"),
    }
    return {
        "attention.shared_kv_layers": shared,
        "embedding_length_per_layer_input": text["hidden_size_per_layer_input"] or 0,
        "attention.sliding_window_pattern": windows,
        "attention.key_length": text["global_head_dim"],
        "attention.key_length_swa": text["head_dim"],
        "attention.head_count_kv": [heads if window else heads_global or heads for window in windows],
        "feed_forward_length": [size * (1 if layer < number - shared else wide) for layer in range(number)],
        **({} if text.get("num_experts") is None else experts),
    }


def both(model: str, preset: str = "Q4_K_M") -> tuple[Shape, dict[str, Any]]:
    config = catalogued_config(model)
    shape = read_config(config)
    return shape, header(written(config, *FAMILIES[model]), tensors_of(shape, preset))


@pytest.mark.parametrize("model", FAMILIES)
def test_a_file_is_its_model(model: str) -> None:
    shape, file = both(model)
    found = read_config(file)
    assert found.layers == shape.layers
    assert (found.vocab_size, found.context_tokens) == (shape.vocab_size, shape.context_tokens)
    known = estimate(shape, Workload(weight_format="Q4_K_M"))
    answer = estimate(found, Workload())
    assert answer.workload.weight_format == "GGUF"
    assert answer.file_bytes == known.file_bytes
    assert {part.key: part.bytes for part in answer.parts} == {part.key: part.bytes for part in known.parts}
    assert answer.host[0].bytes == known.host[0].bytes


def test_a_mixture_of_one_s_own_is_counted_tensor_by_tensor() -> None:
    """Q8_0 instead of Q4_K in one matrix of 4096 x 14336: 34/32 instead of 144/256 bytes an element."""
    shape, file = both("meta/llama-3-1-8b-instruct")
    assert file["tensors"]["blk.7.ffn_up.weight"]["type"] == "Q4_K"
    before = estimate(shape, Workload(weight_format="Q4_K_M")).file_bytes
    file["tensors"]["blk.7.ffn_up.weight"]["type"] = "Q8_0"
    assert estimate(read_config(file), Workload()).file_bytes - before == 4096 * 14336 * (34 / 32 - 144 / 256)


@pytest.mark.parametrize("order", ["<", ">"])
def test_the_file_itself_says_the_same(order: str) -> None:
    """A vocabulary of 128,256 words is passed over, a list with a value for each layer is kept."""
    _shape, file = both("meta/llama-3-1-8b-instruct")
    metadata = {key: value["value"] for key, value in file["metadata"].items()}
    metadata |= {"tokenizer.ggml.tokens": ["ab"] * 128256, "tokenizer.ggml.scores": [0.5] * 128256}
    metadata |= {"general.name": "Llama", "some.flag": True, "llama.attention.head_count_kv": [8] * 32}
    raw = binary(metadata, file["tensors"], order)
    read = parse_config_text(raw + b"\0" * 1000)
    assert read["tensors"] == file["tensors"]
    assert read["metadata"]["tokenizer.ggml.tokens"] == {}  # type: ignore[index]
    assert estimate(read_config(read), Workload()).file_bytes == estimate(read_config(file), Workload()).file_bytes
    for length in range(4, len(raw), 9973):
        with pytest.raises(ConfigError, match=r"gguf_cut_off"):
            parse_config_text(raw[:length])


def test_what_ollama_says_is_that_file() -> None:
    """`ShowResponse` and `Tensor` in Ollama's `api/types.go`."""
    _shape, file = both("qwen/qwen3-8b")
    said: dict[str, Any] = {
        "details": {"family": "qwen3", "quantization_level": "Q4_K_M"},
        "model_info": {key: value["value"] for key, value in file["metadata"].items()}
        | {"tokenizer.ggml.tokens": None},
        "tensors": [{"name": name, **tensor} for name, tensor in file["tensors"].items()],
    }
    found = read_config(said)
    assert found.assumptions == ("gguf_file",)
    assert estimate(found, Workload()).file_bytes == estimate(read_config(file), Workload()).file_bytes
    said["model_info"]["qwen3.vocab_size"] = 151936
    without = read_config({key: value for key, value in said.items() if key != "tensors"})
    assert without.layers == found.layers
    assert "gguf_metadata" in without.assumptions
    said["model_info"]["general.parameter_count"] = 8190735360  # ollama show qwen3:8b
    assert not read_config({"model_info": said["model_info"]}).tied_embeddings
    said["model_info"]["general.parameter_count"] = 8190735360 - 151936 * 4096
    assert read_config({"model_info": said["model_info"]}).tied_embeddings
    del said["model_info"]["qwen3.vocab_size"]
    with pytest.raises(ConfigError) as error:
        read_config({"model_info": said["model_info"]})
    assert error.value.key == "vocab_size"


def test_parts_of_a_split_file_are_read_together() -> None:
    """`split.count` and `split.tensors.count`, as llama-gguf-split writes them into every part."""
    _shape, file = both("meta/llama-3-1-8b-instruct")
    file["metadata"] |= {"split.count": {"value": 2}, "split.tensors.count": {"value": len(file["tensors"])}}
    assert read_config(file).file_tensors
    file["tensors"].pop("output.weight")
    with pytest.raises(ConfigError) as error:
        read_config(file)
    assert error.value.faults[0].values == {"parts": 2, "found": 290, "tensors": 291}


@pytest.mark.parametrize(
    ("metadata", "tensors", "reason"),
    [
        ({"general.architecture": "never-seen"}, {}, "unknown_gguf_architecture"),
        ({"general.architecture": "clip"}, {}, "is_mmproj"),
        ({"general.architecture": "nomic-bert"}, {}, "is_text_encoder"),
        ({"general.architecture": None}, {}, "missing"),
        ({"general.architecture": 7}, {}, "missing"),
        ({"general.type": "adapter"}, {}, "is_adapter"),
        ({"llama.block_count": "32"}, {}, "not_an_integer"),
        ({"llama.block_count": 10**9}, {}, "out_of_range"),
        ({"llama.block_count": 33}, {}, "layer_without_tensors"),
        ({"llama.attention.head_count_kv": [8, 4]}, {}, "differs_between_layers"),
        ({"llama.embedding_length": 8192}, {}, "tensor_of_other_size"),
        ({"llama.attention.head_count": 0}, {}, "out_of_range"),
        ({}, {"x": {"shape": [1], "type": "Q9_X"}}, "unknown_format"),
        ({}, {"x": {"shape": [0], "type": "F32"}}, "gguf_broken"),
        ({}, {"x": {"shape": [10**30], "type": "F32"}}, "gguf_broken"),
        ({}, {"x": {"shape": None, "type": "F32"}}, "gguf_broken"),
        ({}, {"x": None}, "unknown_format"),
        ({}, {"<script>": {"shape": [1], "type": "F32"}}, "gguf_broken"),
    ],
)
def test_what_cannot_be_read_is_named(metadata: dict[str, Any], tensors: dict[str, Any], reason: str) -> None:
    _shape, file = both("meta/llama-3-1-8b-instruct")
    file["metadata"] |= {key: {"value": value} for key, value in metadata.items()}
    file["tensors"] |= tensors
    with pytest.raises(ConfigError) as error:
        read_config(parse_config_text(json.dumps(file)))
    assert reason in [fault.reason for fault in error.value.faults]


@pytest.mark.parametrize(
    "raw",
    [
        b"GGUF",
        b"GGUF\x03\0\0\0" + b"\xff" * 16,
        b"GGUF\x03\0\0\0" + b"\0" * 8 + b"\1" + b"\0" * 7 + b"\xff" * 8,
        b"GGUF\x03\0\0\0" + b"\0" * 16,
        b"GGUF" + b"\0" * 100,
    ],
)
def test_damaged_headers_are_refused(raw: bytes) -> None:
    with pytest.raises(ConfigError):
        read_config(parse_config_text(raw))


def test_every_type_has_a_size() -> None:
    assert set(TYPES.values()) == set(BLOCKS)


JUNK: tuple[Any, ...] = (None, 0, -1, 10**30, 0.5, "8", True, [], [1], ["x"] * 35, [0] * 35, [True] * 35, {}, {"a": 1})


@pytest.mark.parametrize("model", FAMILIES)
def test_a_value_that_cannot_be_is_a_fault_and_no_crash(model: str) -> None:
    """Each key in turn; without tensors, which would tell."""
    _shape, file = both(model)
    for key in list(file["metadata"]):
        for value in JUNK:
            with suppress(ConfigError):
                read_config({"metadata": file["metadata"] | {key: {"value": value}}, "tensors": {}})
