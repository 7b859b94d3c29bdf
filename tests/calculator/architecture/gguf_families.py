"""One model of each family, and the keys of a GGUF file that is made from its config.json."""

from __future__ import annotations

from typing import Any

from tests.calculator.architecture.gguf_writers import PLAIN

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
    own = {new: text[old] for new, old in PLAIN.items() if text.get(old) is not None}
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
