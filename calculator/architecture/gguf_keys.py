"""The metadata of a GGUF file -> the keys of the config.json that it was converted from.

What each key means: ggml's `docs/gguf.md` and llama.cpp's `gguf-py/gguf/constants.py`; what is written: its
`conversion/*.py`; what is left to the reader: `src/models/*.cpp` (`load_swa_pattern`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from calculator.architecture.errors import ConfigError
from calculator.architecture.shown import short

Values = Mapping[str, object]
"""Metadata by key, without the architecture in front."""


class Known(NamedTuple):
    """`model_type` of the config.json; `window_every`: every n-th layer sees all, where the file has no pattern."""

    model_type: str
    more: Callable[[Values, set[str]], dict[str, object]] = lambda values, names: {}
    window_every: int = 0


_PLAIN = {
    "embedding_length": "hidden_size",
    "context_length": "max_position_embeddings",
    "feed_forward_length": "intermediate_size",
    "attention.head_count": "num_attention_heads",
    "attention.head_count_kv": "num_key_value_heads",
    "attention.key_length": "head_dim",
    "attention.sliding_window": "sliding_window",
}


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
}


def number(values: Values, key: str) -> int:
    value = values.get(key, 0)
    if type(value) is not int:
        raise ConfigError(key, "not_an_integer", value=short(value))
    return value


def alike(key: str, value: object) -> object:
    """One value for all layers. Raises ConfigError where they differ."""
    if not isinstance(value, list):
        return value
    sizes = {size for size in value if type(size) is int}
    if len(sizes) != 1:
        raise ConfigError(key, "differs_between_layers")
    return sizes.pop()


def config_of(architecture: str, values: Values, names: set[str], vocabulary: int | None) -> dict[str, object]:
    """Raises ConfigError for an architecture that is not known here, and for values that are none of a model's."""
    known = KNOWN.get(architecture)
    if known is None:
        raise ConfigError("general.architecture", "unknown_gguf_architecture", value=architecture[:80])
    predicting = number(values, "nextn_predict_layers")
    config: dict[str, object] = {"model_type": known.model_type, "num_hidden_layers": number(values, "block_count")}
    config["num_hidden_layers"] = number(values, "block_count") - predicting
    config |= {new: alike(old, values[old]) for old, new in _PLAIN.items() if values.get(old) is not None}
    config |= {"vocab_size": vocabulary, "torch_dtype": "bfloat16"}
    if "sliding_window" not in config:
        config["sliding_window"] = None
    elif known.window_every and 0 < number(values, "block_count") <= 512:
        config["layer_types"] = _windows(values, known.window_every)
    config |= known.more(values, names)
    if names:
        config["tie_word_embeddings"] = "output.weight" not in names
    if predicting:
        config["num_nextn_predict_layers"] = predicting
    return {key: value for key, value in config.items() if value is not None or key == "sliding_window"}


def _windows(values: Values, every: int) -> list[str]:
    layers, stated = number(values, "block_count"), values.get("attention.sliding_window_pattern")
    if isinstance(stated, int) and not isinstance(stated, bool) and 0 < stated <= layers:
        every = stated
    windowed = stated if isinstance(stated, list) and len(stated) >= layers else None
    return [
        "sliding_attention" if (windowed[layer] if windowed else (layer + 1) % every) else "full_attention"
        for layer in range(layers)
    ]
