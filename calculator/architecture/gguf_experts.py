"""Mixtures of experts, as the converters of llama.cpp write their sizes (`conversion/*.py`).

A config.json may spell a key in several ways (`aliases`); one of them is enough here.
"""

from __future__ import annotations

from calculator.architecture.errors import ConfigError
from calculator.architecture.gguf_values import Names, Values, by_layer, layer_count, number, renamed
from calculator.architecture.shown import short

_ROUTED = {"num_experts": "expert_count", "num_experts_per_tok": "expert_used_count"}
_SIZED = _ROUTED | {"moe_intermediate_size": "expert_feed_forward_length"}
_SIZED_LIKE_DENSE = _ROUTED | {"intermediate_size": "expert_feed_forward_length"}
_COUNTED = _SIZED | {"num_shared_experts": "expert_shared_count", "first_k_dense_replace": "leading_dense_block_count"}


def _weighing(values: Values) -> dict[str, object]:
    """How the outputs of the chosen experts are put together."""
    return {
        "norm_topk_prob": values.get("expert_weights_norm", False),
        "routed_scaling_factor": values.get("expert_weights_scale", 1.0),
    }


def _groups(values: Values) -> dict[str, object]:
    return {"n_group": values.get("expert_group_count", 1), "topk_group": values.get("expert_group_used_count", 1)}


def _qk_normed(names: Names) -> dict[str, object]:
    return {"use_qk_norm": any(name.endswith(".attn_q_norm.weight") for name in names)}


def biased(values: Values, names: Names) -> dict[str, object]:
    return {"attention_bias": "blk.0.attn_q.bias" in names}


def llama(values: Values, names: Names) -> dict[str, object]:
    if not values.get("expert_count"):
        return biased(values, names)
    return {"model_type": "mixtral", **renamed(values, _ROUTED)}


def qwen_moe(values: Values, names: Names) -> dict[str, object]:
    shared = values.get("expert_shared_feed_forward_length")
    return renamed(values, _SIZED) | ({"shared_expert_intermediate_size": shared} if shared else {})


def qwen3_moe(values: Values, names: Names) -> dict[str, object]:
    """`src/models/qwen3moe.cpp` lets the weights of those that are chosen add up to one, whatever the file says."""
    return qwen_moe(values, names) | {"norm_topk_prob": True}


def gpt_oss(values: Values, names: Names) -> dict[str, object]:
    return renamed(values, _SIZED_LIKE_DENSE) | {"attention_bias": True}


def grouped(values: Values, names: Names) -> dict[str, object]:
    """Experts as DeepSeek and GLM have them."""
    return renamed(values, _COUNTED) | _groups(values) | _weighing(values)


def glm4_moe(values: Values, names: Names) -> dict[str, object]:
    return grouped(values, names) | biased(values, names) | _qk_normed(names)


def ling(values: Values, names: Names) -> dict[str, object]:
    """`BailingMoeV2Model` in `conversion/bailingmoe.py`."""
    return grouped(values, names) | _qk_normed(names)


def granite_moe(values: Values, names: Names) -> dict[str, object]:
    """`GraniteMoeModel` in `conversion/granite.py`; a shared feed-forward makes it another model type."""
    shared = values.get("expert_shared_feed_forward_length")
    other = {"model_type": "granitemoeshared", "shared_intermediate_size": shared} if shared else {}
    return renamed(values, _ROUTED) | other


def minimax(values: Values, names: Names) -> dict[str, object]:
    """`MiniMaxM2Model` in `conversion/minimax.py`."""
    return renamed(values, _SIZED_LIKE_DENSE) | _qk_normed(names)


def llama4(values: Values, names: Names) -> dict[str, object]:
    """`Llama4Model` in `conversion/llama.py`; `src/models/llama4.cpp` attends in chunks of 8,192 tokens unless the file
    states a window of 0."""
    return renamed(values, _SIZED_LIKE_DENSE) | {
        "intermediate_size_mlp": values.get("feed_forward_length"),
        "interleave_moe_layer_step": values.get("interleave_moe_layer_step"),
        "attention_chunk_size": None if values.get("attention.sliding_window") == 0 else 8192,
    }


def ernie_moe(values: Values, names: Names) -> dict[str, object]:
    """`Ernie4_5MoeModel` in `conversion/ernie.py`."""
    return renamed(values, _SIZED) | {
        "num_shared_experts": values.get("expert_shared_count"),
        "moe_layer_interval": values.get("interleave_moe_layer_step"),
        "moe_layer_start_index": values.get("leading_dense_block_count"),
    }


def deepseek(values: Values, names: Names) -> dict[str, object]:
    """`DeepseekModel` in `conversion/deepseek.py`."""
    return renamed(values, _COUNTED) | _weighing(values)


def deepseek_ocr(values: Values, names: Names) -> dict[str, object]:
    """`DeepseekV2Model` of what reads pages: attention without latents. Unlimited-OCR's has a window (`is_ocr`)."""
    windowed = number(values, "attention.sliding_window") > 0
    named = {"model_type": "unlimited_ocr_text"} if windowed else {"sliding_window": None}
    return {**deepseek(values, names), **named}


def dbrx(values: Values, names: Names) -> dict[str, object]:
    """`DbrxModel` in `conversion/dbrx.py`."""
    size = {"ffn_hidden_size": values.get("feed_forward_length")}
    return {
        "attn_config": {"kv_n_heads": values.get("attention.head_count_kv")},
        "ffn_config": size | renamed(values, {"moe_num_experts": "expert_count", "moe_top_k": "expert_used_count"}),
    }


def grok(values: Values, names: Names) -> dict[str, object]:
    """Only a file with a dense path beside its experts says how wide these are (`conversion/grok.py`)."""
    beside = "blk.0.ffn_up.weight" in names if names else values.get("expert_feed_forward_length") is not None
    return renamed(values, _SIZED) | {"residual_moe": beside}


def hunyuan(values: Values, names: Names) -> dict[str, object]:
    """`HunYuanMoEModel` in `conversion/hunyuan.py`."""
    return renamed(values, _SIZED) | {
        "num_shared_experts": values.get("expert_shared_count"),
        "intermediate_size": values.get("expert_shared_feed_forward_length") or values.get("feed_forward_length"),
    }


def afmoe(values: Values, names: Names) -> dict[str, object]:
    """`AfmoeModel` in `conversion/afmoe.py`."""
    return renamed(values, _COUNTED) | {"route_scale": values.get("expert_weights_scale", 1.0)}


def hy_v3(values: Values, names: Names) -> dict[str, object]:
    """`HYV3Model` in `conversion/hunyuan.py`; the first layer is dense (`src/models/hy_v3.cpp`)."""
    return renamed(values, _SIZED) | {
        "norm_topk_prob": True,
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


def cohere2_moe(values: Values, names: Names) -> dict[str, object]:
    """`Cohere2MoeModel` in `conversion/command_r.py`: what the dense layers are wide is that key's own."""
    return renamed(values, _SIZED_LIKE_DENSE) | {
        "prefix_dense_intermediate_size": values.get("feed_forward_length"),
        "num_shared_experts": values.get("expert_shared_count"),
        "first_k_dense_replace": values.get("leading_dense_block_count"),
        "norm_topk_prob": values.get("expert_weights_norm", False),
    }


def laguna(values: Values, names: Names) -> dict[str, object]:
    """`LagunaModel` in `conversion/laguna.py`: query heads by layer. Where nothing says so, the first of four layers
    sees everything; the gate is by head unless its tensor is as wide as all heads (`src/models/laguna.cpp`)."""
    layers, dense = layer_count(values), number(values, "leading_dense_block_count")
    windowed = values.get("attention.sliding_window_pattern", 4)
    if isinstance(windowed, int) and not isinstance(windowed, bool) and windowed > 0:
        windowed = [index % windowed for index in range(layers)]
    kinds = _windows(windowed, layers) if values.get("attention.sliding_window") else ["full_attention"] * layers
    heads = by_layer(values, "attention.head_count")
    by_head = names.get("blk.0.attn_gate.weight") in (None, heads[0] * number(values, "embedding_length"))
    return renamed(values, _SIZED) | {
        "num_attention_heads": max(heads),
        "num_attention_heads_per_layer": heads,
        "gating": "per-head" if by_head else "per-element",
        "shared_expert_intermediate_size": values.get("expert_shared_feed_forward_length"),
        "mlp_layer_types": ["dense" if index < dense else "sparse" for index in range(layers)],
        "layer_types": kinds,
    }


def step35(values: Values, names: Names) -> dict[str, object]:
    """`Step35Model` in `conversion/step3.py`: query heads by kind of layer, also of the layers that predict, which
    stand behind the others."""
    layers = layer_count(values)
    kinds = _windows(values.get("attention.sliding_window_pattern"), layers)
    heads, keys = by_layer(values, "attention.head_count"), by_layer(values, "attention.head_count_kv")
    of_kind = dict(zip(kinds, heads, strict=True))
    of_global = of_kind.get("full_attention", heads[0])
    first, step = number(values, "leading_dense_block_count"), max(number(values, "moe_every_n_layers"), 1)
    trunk = layers - number(values, "nextn_predict_layers")
    sparse = [index for index in range(trunk) if index >= first and (index - first) % step == 0]
    return renamed(values, _SIZED) | {
        "num_attention_heads": of_global,
        "num_key_value_heads": keys[0],
        "num_sliding_attention_heads": of_kind.get("sliding_attention", of_global),
        "layer_types": kinds,
        "mlp_layer_types": ["sparse" if index in set(sparse) else "dense" for index in range(trunk)],
        "share_expert_dim": values.get("expert_shared_feed_forward_length"),
        "moe_router_scaling_factor": values.get("expert_weights_scale", 1.0),
    }


def _windows(windowed: object, layers: int) -> list[str]:
    """Raises ConfigError for what is no flag for each layer."""
    if not isinstance(windowed, list) or len(windowed) < layers:
        raise ConfigError("attention.sliding_window_pattern", "not_a_list", value=short(windowed))
    return ["sliding_attention" if window else "full_attention" for window in windowed[:layers]]


def mimo2(values: Values, names: Names) -> dict[str, object]:
    """`MimoV2Model` in `conversion/mimo.py`: key/value heads by layer, and the layers that predict among them."""
    layers = layer_count(values) - number(values, "nextn_predict_layers")
    heads = by_layer(values, "attention.head_count_kv")[:layers]
    kinds = _windows(values.get("attention.sliding_window_pattern"), max(layers, 1))
    pattern = [int(kind == "sliding_attention") for kind in kinds]
    of_global = [size for size, window in zip(heads, pattern, strict=True) if not window] or heads
    of_windows = [size for size, window in zip(heads, pattern, strict=True) if window] or heads
    first = next((i for i, window in enumerate(pattern) if window), 0)
    return renamed(values, _SIZED) | {
        "hybrid_layer_pattern": pattern,
        "num_key_value_heads": of_global[0],
        "swa_num_key_value_heads": of_windows[0],
        "v_head_dim": values.get("attention.value_length"),
        "moe_layer_freq": [int(f"blk.{i}.ffn_gate_exps.weight" in names or not names) for i in range(layers)],
        "add_swa_attention_sink_bias": f"blk.{first}.attn_sinks.weight" in names,
        "attention_bias": "blk.0.attn_q.bias" in names,
        "num_nextn_predict_layers": None,
    }
