"""What is a llama.cpp architecture's own: the keys of its config.json that others do not have, or say otherwise.

Each from the architecture's module in llama.cpp's `conversion/` (`set_gguf_parameters`) and what `src/models/` reads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from calculator.architecture.errors import ConfigError
from calculator.architecture.fields import MOST_LAYERS
from calculator.architecture.shown import short

Values = Mapping[str, object]
"""Metadata by key, without the architecture in front."""


class Known(NamedTuple):
    """`model_type` of the config.json; `window_every`: every n-th layer sees all, where the file has no pattern; `own`:
    keys that `more` reads, as their values may differ between layers."""

    model_type: str
    more: Callable[[Values, set[str]], dict[str, object]] = lambda values, names: {}
    window_every: int = 0
    own: frozenset[str] = frozenset()


def number(values: Values, key: str) -> int:
    value = values.get(key, 0)
    if type(value) is not int:
        raise ConfigError(key, "not_an_integer", value=short(value))
    return value


def _biased(values: Values, names: set[str]) -> dict[str, object]:
    return {"attention_bias": "blk.0.attn_q.bias" in names}


def _llama(values: Values, names: set[str]) -> dict[str, object]:
    if not values.get("expert_count"):
        return _biased(values, names)
    experts = {"num_local_experts": values["expert_count"], "num_experts_per_tok": values.get("expert_used_count")}
    return {"model_type": "mixtral", **experts}


def _qwen_moe(values: Values, names: set[str]) -> dict[str, object]:
    shared = values.get("expert_shared_feed_forward_length")
    return {
        "num_experts": values.get("expert_count"),
        "num_experts_per_tok": values.get("expert_used_count"),
        "moe_intermediate_size": values.get("expert_feed_forward_length"),
        **({"shared_expert_intermediate_size": shared} if shared else {}),
    }


def _qwen3_moe(values: Values, names: set[str]) -> dict[str, object]:
    """`src/models/qwen3moe.cpp` lets the weights of those that are chosen add up to one, whatever the file says."""
    return {**_qwen_moe(values, names), "norm_topk_prob": True}


def _gated_delta(values: Values, names: set[str]) -> dict[str, object]:
    """`Qwen3NextModel.set_gguf_parameters` in `conversion/qwen.py`."""
    heads, inner = number(values, "ssm.time_step_rank"), number(values, "ssm.inner_size")
    if not heads or inner % heads:
        raise ConfigError("ssm.inner_size", "unsupported_value", value=inner)
    return {
        "linear_conv_kernel_dim": values.get("ssm.conv_kernel"),
        "linear_key_head_dim": values.get("ssm.state_size"),
        "linear_num_key_heads": values.get("ssm.group_count"),
        "linear_num_value_heads": heads,
        "linear_value_head_dim": inner // heads,
        "full_attention_interval": values.get("full_attention_interval", 4),
        "mamba_ssm_dtype": "float32",  # llama.cpp keeps states so
        **(_qwen_moe(values, names) if values.get("expert_count") else {}),
    }


def _gpt_oss(values: Values, names: set[str]) -> dict[str, object]:
    return {
        "num_local_experts": values.get("expert_count"),
        "num_experts_per_tok": values.get("expert_used_count"),
        "intermediate_size": values.get("expert_feed_forward_length"),
        "attention_bias": True,
    }


def _grouped(values: Values, names: set[str]) -> dict[str, object]:
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


def _glm4_moe(values: Values, names: set[str]) -> dict[str, object]:
    normed = any(name.endswith(".attn_q_norm.weight") for name in names)
    return {**_grouped(values, names), **_biased(values, names), "use_qk_norm": normed}


def _deepseek2(values: Values, names: set[str]) -> dict[str, object]:
    """`DeepseekV2Model.set_gguf_parameters` in `conversion/deepseek.py`: one key/value head, the latent, and the sizes
    of a decompressed head apart."""
    rope, rank = number(values, "rope.dimension_count"), values.get("attention.kv_lora_rank")
    whole = number(values, "attention.key_length_mla") or number(values, "attention.key_length")
    return {
        **_grouped(values, names),
        "model_type": "deepseek_v3" if any("exp_probs_b" in name for name in names) else "deepseek_v2",
        "head_dim": None,
        "num_key_value_heads": values.get("attention.head_count"),
        "kv_lora_rank": rank,
        "q_lora_rank": values.get("attention.q_lora_rank"),
        "qk_rope_head_dim": rope,
        "qk_nope_head_dim": whole - rope,
        "v_head_dim": values.get("attention.value_length_mla") or values.get("attention.value_length"),
    }


def _ling(values: Values, names: set[str]) -> dict[str, object]:
    """`BailingMoeV2Model` in `conversion/bailingmoe.py`."""
    return {
        **_qwen_moe(values, names),
        "shared_expert_intermediate_size": None,
        "num_shared_experts": values.get("expert_shared_count"),
        "first_k_dense_replace": values.get("leading_dense_block_count"),
        "n_group": values.get("expert_group_count", 1),
        "topk_group": values.get("expert_group_used_count", 1),
        "norm_topk_prob": values.get("expert_weights_norm", False),
        "routed_scaling_factor": values.get("expert_weights_scale", 1.0),
        "use_qk_norm": any(name.endswith(".attn_q_norm.weight") for name in names),
    }


def _granite_moe(values: Values, names: set[str]) -> dict[str, object]:
    """`GraniteMoeModel` in `conversion/granite.py`; a shared feed-forward makes it another model type."""
    shared = values.get("expert_shared_feed_forward_length")
    experts = {"num_local_experts": values.get("expert_count"), "num_experts_per_tok": values.get("expert_used_count")}
    return {**experts, **({"model_type": "granitemoeshared", "shared_intermediate_size": shared} if shared else {})}


def _minimax(values: Values, names: set[str]) -> dict[str, object]:
    """`MiniMaxM2Model` in `conversion/minimax.py`."""
    return {
        "num_local_experts": values.get("expert_count"),
        "num_experts_per_tok": values.get("expert_used_count"),
        "intermediate_size": values.get("expert_feed_forward_length"),
        "use_qk_norm": any(name.endswith(".attn_q_norm.weight") for name in names),
    }


def _lfm2(values: Values, names: set[str]) -> dict[str, object]:
    """`LFM2Model` in `conversion/lfm2.py`: a layer without key/value heads is a convolution, and the size of the
    feed-forward is written as it comes out."""
    heads = _by_layer(values, "attention.head_count_kv")
    return {
        "num_key_value_heads": max(heads),
        "layer_types": ["full_attention" if number else "conv" for number in heads],
        "conv_L_cache": values.get("shortconv.l_cache"),
        "block_auto_adjust_ff_dim": False,
    }


def _gemma4(values: Values, names: set[str]) -> dict[str, object]:
    """`Gemma4Model` in `conversion/gemma.py`: global layers have heads of another size and number, and where keys are
    values, too, no tensor for these; the layers that read earlier caches may have a feed-forward twice as wide."""
    windowed = values.get("attention.sliding_window_pattern")
    if not isinstance(windowed, list) or len(windowed) != _layers(values):
        raise ConfigError("attention.sliding_window_pattern", "not_a_list", value=short(windowed))
    heads, sizes = _by_layer(values, "attention.head_count_kv"), _by_layer(values, "feed_forward_length")
    of_global = [size for size, window in zip(heads, windowed, strict=True) if not window]
    of_windows = [size for size, window in zip(heads, windowed, strict=True) if window]
    global_values = {f"blk.{layer}.attn_v.weight" for layer, window in enumerate(windowed) if not window}
    experts = values.get("expert_count")
    return {
        "num_key_value_heads": (of_windows or of_global)[0],
        "num_global_key_value_heads": (of_global or of_windows)[0],
        "head_dim": values.get("attention.key_length_swa"),
        "global_head_dim": values.get("attention.key_length"),
        "intermediate_size": min(sizes),
        "use_double_wide_mlp": max(sizes) > min(sizes),
        "num_kv_shared_layers": values.get("attention.shared_kv_layers", 0),
        "hidden_size_per_layer_input": values.get("embedding_length_per_layer_input", 0),
        "vocab_size_per_layer_input": values.get("vocab_size"),
        "attention_k_eq_v": bool(names) and not global_values & names,
        **(
            {
                "enable_moe_block": True,
                "num_experts": experts,
                "top_k_experts": values.get("expert_used_count"),
                "moe_intermediate_size": values.get("expert_feed_forward_length"),
            }
            if experts
            else {}
        ),
    }


def _layers(values: Values) -> int:
    layers = number(values, "block_count")
    if not 0 < layers <= MOST_LAYERS:
        raise ConfigError("block_count", "out_of_range", value=layers, least=1, most=MOST_LAYERS)
    return layers


def _by_layer(values: Values, key: str) -> list[int]:
    """A number for each layer; one alone is that of all."""
    value, layers = values.get(key), _layers(values)
    if not isinstance(value, list):
        return [number(values, key)] * layers
    if len(value) != layers or not all(type(size) is int for size in value):
        raise ConfigError(key, "differs_between_layers")
    return value


KNOWN: Mapping[str, Known] = {
    "llama": Known("llama", _llama),
    "mistral3": Known("mistral"),
    "qwen2": Known("qwen2"),
    "qwen2moe": Known("qwen2_moe", _qwen_moe),
    "qwen3": Known("qwen3", _biased),
    "qwen3moe": Known("qwen3_moe", _qwen3_moe),
    "qwen3next": Known("qwen3_next", _gated_delta),
    "qwen35": Known("qwen3_5_text", _gated_delta),
    "qwen35moe": Known("qwen3_5_moe_text", _gated_delta),
    "gemma": Known("gemma"),
    "gemma2": Known("gemma2", window_every=2),
    "gemma3": Known("gemma3_text", window_every=6),
    "phi3": Known("phi3"),
    "command-r": Known("cohere"),
    "cohere2": Known("cohere2", window_every=4),
    "gpt-oss": Known("gpt_oss", _gpt_oss, window_every=2),
    "glm4": Known("glm4"),
    "glm4moe": Known("glm4_moe", _glm4_moe),
    "deepseek2": Known("deepseek_v3", _deepseek2),
    "olmo2": Known("olmo2"),
    "granite": Known("granite"),
    "smollm3": Known("smollm3"),
    "seed_oss": Known("seed_oss", _biased),
    "qwen2vl": Known("qwen2_vl_text"),
    "hunyuan-dense": Known("hunyuan_v1_dense"),
    "exaone4": Known("exaone4", window_every=4),
    "ernie4_5": Known("ernie4_5"),
    "internlm2": Known("internlm2"),
    "olmoe": Known("olmoe", _qwen_moe),
    "granitemoe": Known("granitemoe", _granite_moe),
    "starcoder2": Known("starcoder2", lambda values, names: {"use_bias": "blk.0.attn_q.bias" in names}),
    "dots1": Known("dots1", _grouped),
    "minimax-m2": Known("minimax_m2", _minimax),
    "bailingmoe2": Known("bailing_moe_v2", _ling),
    "lfm2": Known("lfm2", _lfm2, own=frozenset({"attention.head_count_kv"})),
    "gemma4": Known(
        "gemma4_text",
        _gemma4,
        window_every=6,
        own=frozenset({"attention.head_count_kv", "feed_forward_length", "attention.key_length"}),
    ),
}
