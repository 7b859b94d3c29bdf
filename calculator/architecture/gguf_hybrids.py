"""Architectures whose layers differ from each other, as the converters of llama.cpp write them (`conversion/*.py`)."""

from __future__ import annotations

from calculator.architecture.errors import ConfigError
from calculator.architecture.gguf_experts import grouped, qwen_moe
from calculator.architecture.gguf_values import Names, Values, by_layer, layer_count, number
from calculator.architecture.shown import short


def gated_delta(values: Values, names: Names) -> dict[str, object]:
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
        **(qwen_moe(values, names) if values.get("expert_count") else {}),
    }


def lfm2(values: Values, names: Names) -> dict[str, object]:
    """`LFM2Model` in `conversion/lfm2.py`: a layer without key/value heads is a convolution, and the size of the
    feed-forward is written as it comes out."""
    heads = by_layer(values, "attention.head_count_kv")
    return {
        "num_key_value_heads": max(heads),
        "layer_types": ["full_attention" if number else "conv" for number in heads],
        "conv_L_cache": values.get("shortconv.l_cache"),
        "block_auto_adjust_ff_dim": False,
    }


def lfm2_moe(values: Values, names: Names) -> dict[str, object]:
    """`LFM2MoeModel` in `conversion/lfm2.py`."""
    own = {key: value for key, value in lfm2(values, names).items() if key != "block_auto_adjust_ff_dim"}
    return {
        **own,
        **qwen_moe(values, names),
        "num_dense_layers": values.get("leading_dense_block_count"),
        "use_expert_bias": any("exp_probs_b" in name for name in names),
    }


def gemma4(values: Values, names: Names) -> dict[str, object]:
    """`Gemma4Model` in `conversion/gemma.py`: global layers have heads of another size and number, and where keys are
    values, too, no tensor for these; the layers that read earlier caches may have a feed-forward twice as wide."""
    windowed = values.get("attention.sliding_window_pattern")
    if not isinstance(windowed, list) or len(windowed) != layer_count(values):
        raise ConfigError("attention.sliding_window_pattern", "not_a_list", value=short(windowed))
    heads, sizes = by_layer(values, "attention.head_count_kv"), by_layer(values, "feed_forward_length")
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
        "attention_k_eq_v": bool(names) and not global_values & names.keys(),
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


def gemma3n(values: Values, names: Names) -> dict[str, object]:
    """`Gemma3NModel` in `conversion/gemma.py`, where the inputs by layer are padded to the vocabulary; the rank of the
    bypass is a number in `src/models/gemma3n.cpp`."""
    return {
        "intermediate_size": by_layer(values, "feed_forward_length"),
        "altup_num_inputs": values.get("altup.num_inputs"),
        "laurel_rank": 64,
        "num_kv_shared_layers": values.get("attention.shared_kv_layers", 0),
        "hidden_size_per_layer_input": values.get("embedding_length_per_layer_input"),
        "vocab_size_per_layer_input": values.get("vocab_size", 262144),
    }


def nemotron_h(values: Values, names: Names) -> dict[str, object]:
    """`NemotronHModel` in `conversion/nemotron.py`: a layer is attention, a feed-forward, or else Mamba 2."""
    heads, sizes = by_layer(values, "attention.head_count_kv"), by_layer(values, "feed_forward_length")
    mamba_heads, inner = number(values, "ssm.time_step_rank"), number(values, "ssm.inner_size")
    if mamba_heads < 1 or inner % mamba_heads:
        raise ConfigError("ssm.inner_size", "unsupported_value", value=inner)
    experts = values.get("expert_count")
    fed = "moe" if experts else "mlp"
    kinds = ("attention" if kv else fed if size else "mamba" for kv, size in zip(heads, sizes, strict=True))
    found: dict[str, object] = {
        "num_key_value_heads": max(heads),
        "intermediate_size": max(sizes),
        "layers_block_type": list(kinds),
        "mamba_num_heads": mamba_heads,
        "mamba_head_dim": inner // mamba_heads,
        "ssm_state_size": values.get("ssm.state_size"),
        "n_groups": values.get("ssm.group_count"),
        "conv_kernel": values.get("ssm.conv_kernel"),
        "mamba_ssm_cache_dtype": "float32",  # llama.cpp keeps states so
    }
    if not experts:
        return found
    routed = {key: value for key, value in grouped(values, names).items() if key != "first_k_dense_replace"}
    shared = {"moe_shared_expert_intermediate_size": values.get("expert_shared_feed_forward_length")}
    return found | routed | shared | {"moe_latent_size": values.get("moe_latent_size")}
