"""Mixtures of experts, as the converters of llama.cpp write their sizes (`conversion/*.py`)."""

from __future__ import annotations

from calculator.architecture.errors import ConfigError
from calculator.architecture.gguf_values import Values, by_layer, layer_count, number
from calculator.architecture.shown import short


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


def deepseek(values: Values, names: set[str]) -> dict[str, object]:
    """`DeepseekModel` in `conversion/deepseek.py`."""
    return {key: value for key, value in grouped(values, names).items() if key not in ("n_group", "topk_group")}


def latent_alone(values: Values, names: set[str]) -> dict[str, object]:
    """Latent attention of a model type of its own."""
    return {key: value for key, value in deepseek2(values, names).items() if key != "model_type"}


def indexed(values: Values, names: set[str]) -> dict[str, object]:
    """`DeepseekV32Model` and `GlmMoeDsaModel` in `conversion/`: an indexer beside latent attention, in the layers that
    have its tensors."""
    return {
        **latent_alone(values, names),
        "index_n_heads": values.get("attention.indexer.head_count"),
        "index_head_dim": values.get("attention.indexer.key_length"),
        "index_topk": values.get("attention.indexer.top_k"),
    }


def indexed_where_told(values: Values, names: set[str]) -> dict[str, object]:
    layers = number(values, "block_count") - number(values, "nextn_predict_layers")
    told = [f"blk.{index}.indexer.attn_k.weight" in names for index in range(max(layers, 0) if names else 0)]
    listed = ["full" if own else "shared" for own in told]
    return {**indexed(values, names), **({"indexer_types": listed} if listed else {})}


def dbrx(values: Values, names: set[str]) -> dict[str, object]:
    """`DbrxModel` in `conversion/dbrx.py`."""
    return {
        "attn_config": {"kv_n_heads": values.get("attention.head_count_kv")},
        "ffn_config": {
            "ffn_hidden_size": values.get("feed_forward_length"),
            "moe_num_experts": values.get("expert_count"),
            "moe_top_k": values.get("expert_used_count"),
        },
    }


def hunyuan(values: Values, names: set[str]) -> dict[str, object]:
    """`HunYuanMoEModel` in `conversion/hunyuan.py`."""
    return {
        "num_experts": values.get("expert_count"),
        "moe_topk": values.get("expert_used_count"),
        "moe_intermediate_size": values.get("expert_feed_forward_length"),
        "num_shared_expert": values.get("expert_shared_count"),
        "intermediate_size": values.get("expert_shared_feed_forward_length") or values.get("feed_forward_length"),
    }


def afmoe(values: Values, names: set[str]) -> dict[str, object]:
    """`AfmoeModel` in `conversion/afmoe.py`."""
    return {
        "num_experts": values.get("expert_count"),
        "num_experts_per_tok": values.get("expert_used_count"),
        "moe_intermediate_size": values.get("expert_feed_forward_length"),
        "num_shared_experts": values.get("expert_shared_count"),
        "num_dense_layers": values.get("leading_dense_block_count"),
        "route_scale": values.get("expert_weights_scale", 1.0),
    }


def hy_v3(values: Values, names: set[str]) -> dict[str, object]:
    """`HYV3Model` in `conversion/hunyuan.py`; the first layer is dense (`src/models/hy_v3.cpp`)."""
    return {
        **qwen3_moe(values, names),
        "shared_expert_intermediate_size": None,
        "num_shared_experts": _shared(values),
        "first_k_dense_replace": values.get("leading_dense_block_count", 1),
        "router_scaling_factor": values.get("expert_weights_scale", 1.0),
    }


def _shared(values: Values) -> int:
    """How many shared experts the width of all of them comes to."""
    size, all_of_them = (
        number(values, "expert_feed_forward_length"),
        number(values, "expert_shared_feed_forward_length"),
    )
    return all_of_them // size if size > 0 else 0


def cohere2_moe(values: Values, names: set[str]) -> dict[str, object]:
    """`Cohere2MoeModel` in `conversion/command_r.py`: what the dense layers are wide is that key's own."""
    return {
        "num_experts": values.get("expert_count"),
        "num_experts_per_tok": values.get("expert_used_count"),
        "intermediate_size": values.get("expert_feed_forward_length"),
        "prefix_dense_intermediate_size": values.get("feed_forward_length"),
        "num_shared_experts": values.get("expert_shared_count"),
        "first_k_dense_replace": values.get("leading_dense_block_count"),
        "norm_topk_prob": values.get("expert_weights_norm", False),
    }


def mimo2(values: Values, names: set[str]) -> dict[str, object]:
    """`MimoV2Model` in `conversion/mimo.py`: key/value heads by layer, and the layers that predict among them."""
    layers = layer_count(values) - number(values, "nextn_predict_layers")
    heads = by_layer(values, "attention.head_count_kv")[:layers]
    windowed = values.get("attention.sliding_window_pattern")
    if not isinstance(windowed, list) or len(windowed) < layers or layers < 1:
        raise ConfigError("attention.sliding_window_pattern", "not_a_list", value=short(windowed))
    pattern = [int(bool(window)) for window in windowed[:layers]]
    of_global = [size for size, window in zip(heads, pattern, strict=True) if not window] or heads
    of_windows = [size for size, window in zip(heads, pattern, strict=True) if window] or heads
    first = next((i for i, window in enumerate(pattern) if window), 0)
    return {
        "hybrid_layer_pattern": pattern,
        "num_key_value_heads": of_global[0],
        "swa_num_key_value_heads": of_windows[0],
        "v_head_dim": values.get("attention.value_length"),
        "n_routed_experts": values.get("expert_count"),
        "num_experts_per_tok": values.get("expert_used_count"),
        "moe_intermediate_size": values.get("expert_feed_forward_length"),
        "moe_layer_freq": [int(f"blk.{i}.ffn_gate_exps.weight" in names or not names) for i in range(layers)],
        "add_swa_attention_sink_bias": f"blk.{first}.attn_sinks.weight" in names,
        "attention_bias": "blk.0.attn_q.bias" in names,
        "num_nextn_predict_layers": None,
    }
