"""Mixtures of experts, as the converters of llama.cpp write their sizes (`conversion/*.py`)."""

from __future__ import annotations

from calculator.architecture.gguf_values import Values, number


def biased(values: Values, names: set[str]) -> dict[str, object]:
    return {"attention_bias": "blk.0.attn_q.bias" in names}


def llama(values: Values, names: set[str]) -> dict[str, object]:
    if not values.get("expert_count"):
        return biased(values, names)
    experts = {"num_local_experts": values["expert_count"], "num_experts_per_tok": values.get("expert_used_count")}
    return {"model_type": "mixtral", **experts}


def qwen_moe(values: Values, names: set[str]) -> dict[str, object]:
    shared = values.get("expert_shared_feed_forward_length")
    return {
        "num_experts": values.get("expert_count"),
        "num_experts_per_tok": values.get("expert_used_count"),
        "moe_intermediate_size": values.get("expert_feed_forward_length"),
        **({"shared_expert_intermediate_size": shared} if shared else {}),
    }


def qwen3_moe(values: Values, names: set[str]) -> dict[str, object]:
    """`src/models/qwen3moe.cpp` lets the weights of those that are chosen add up to one, whatever the file says."""
    return {**qwen_moe(values, names), "norm_topk_prob": True}


def gpt_oss(values: Values, names: set[str]) -> dict[str, object]:
    return {
        "num_local_experts": values.get("expert_count"),
        "num_experts_per_tok": values.get("expert_used_count"),
        "intermediate_size": values.get("expert_feed_forward_length"),
        "attention_bias": True,
    }


def grouped(values: Values, names: set[str]) -> dict[str, object]:
    """Experts as DeepSeek and GLM name them."""
    return {
        "n_routed_experts": values.get("expert_count"),
        "num_experts_per_tok": values.get("expert_used_count"),
        "moe_intermediate_size": values.get("expert_feed_forward_length"),
        "n_shared_experts": values.get("expert_shared_count"),
        "first_k_dense_replace": values.get("leading_dense_block_count"),
        "n_group": values.get("expert_group_count", 1),
        "topk_group": values.get("expert_group_used_count", 1),
        "norm_topk_prob": values.get("expert_weights_norm", False),
        "routed_scaling_factor": values.get("expert_weights_scale", 1.0),
    }


def glm4_moe(values: Values, names: set[str]) -> dict[str, object]:
    normed = any(name.endswith(".attn_q_norm.weight") for name in names)
    return {**grouped(values, names), **biased(values, names), "use_qk_norm": normed}


def deepseek2(values: Values, names: set[str]) -> dict[str, object]:
    """`DeepseekV2Model.set_gguf_parameters` in `conversion/deepseek.py`: one key/value head, the latent, and the sizes
    of a decompressed head apart."""
    rope, rank = number(values, "rope.dimension_count"), values.get("attention.kv_lora_rank")
    whole = number(values, "attention.key_length_mla") or number(values, "attention.key_length")
    return {
        **grouped(values, names),
        "model_type": "deepseek_v3" if any("exp_probs_b" in name for name in names) else "deepseek_v2",
        "head_dim": None,
        "num_key_value_heads": values.get("attention.head_count"),
        "kv_lora_rank": rank,
        "q_lora_rank": values.get("attention.q_lora_rank"),
        "qk_rope_head_dim": rope,
        "qk_nope_head_dim": whole - rope,
        "v_head_dim": values.get("attention.value_length_mla") or values.get("attention.value_length"),
    }


def ling(values: Values, names: set[str]) -> dict[str, object]:
    """`BailingMoeV2Model` in `conversion/bailingmoe.py`."""
    return {
        **qwen_moe(values, names),
        "shared_expert_intermediate_size": None,
        "num_shared_experts": values.get("expert_shared_count"),
        "first_k_dense_replace": values.get("leading_dense_block_count"),
        "n_group": values.get("expert_group_count", 1),
        "topk_group": values.get("expert_group_used_count", 1),
        "norm_topk_prob": values.get("expert_weights_norm", False),
        "routed_scaling_factor": values.get("expert_weights_scale", 1.0),
        "use_qk_norm": any(name.endswith(".attn_q_norm.weight") for name in names),
    }


def granite_moe(values: Values, names: set[str]) -> dict[str, object]:
    """`GraniteMoeModel` in `conversion/granite.py`; a shared feed-forward makes it another model type."""
    shared = values.get("expert_shared_feed_forward_length")
    experts = {"num_local_experts": values.get("expert_count"), "num_experts_per_tok": values.get("expert_used_count")}
    return {**experts, **({"model_type": "granitemoeshared", "shared_intermediate_size": shared} if shared else {})}


def minimax(values: Values, names: set[str]) -> dict[str, object]:
    """`MiniMaxM2Model` in `conversion/minimax.py`."""
    return {
        "num_local_experts": values.get("expert_count"),
        "num_experts_per_tok": values.get("expert_used_count"),
        "intermediate_size": values.get("expert_feed_forward_length"),
        "use_qk_norm": any(name.endswith(".attn_q_norm.weight") for name in names),
    }


def llama4(values: Values, names: set[str]) -> dict[str, object]:
    """`Llama4Model` in `conversion/llama.py`; `src/models/llama4.cpp` attends in chunks of 8,192 tokens unless the file
    states a window of 0."""
    return {
        "num_local_experts": values.get("expert_count"),
        "num_experts_per_tok": values.get("expert_used_count"),
        "intermediate_size": values.get("expert_feed_forward_length"),
        "intermediate_size_mlp": values.get("feed_forward_length"),
        "interleave_moe_layer_step": values.get("interleave_moe_layer_step"),
        "attention_chunk_size": None if values.get("attention.sliding_window") == 0 else 8192,
    }


def ernie_moe(values: Values, names: set[str]) -> dict[str, object]:
    """`Ernie4_5MoeModel` in `conversion/ernie.py`."""
    return {
        "moe_num_experts": values.get("expert_count"),
        "moe_k": values.get("expert_used_count"),
        "moe_intermediate_size": values.get("expert_feed_forward_length"),
        "moe_num_shared_experts": values.get("expert_shared_count"),
        "moe_layer_interval": values.get("interleave_moe_layer_step"),
        "moe_layer_start_index": values.get("leading_dense_block_count"),
    }
