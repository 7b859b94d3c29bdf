"""Mamba and hybrids of it, as the converters of llama.cpp write their sizes (`conversion/*.py`)."""

from __future__ import annotations

from calculator.architecture.errors import ConfigError
from calculator.architecture.gguf_latent import latent_alone
from calculator.architecture.gguf_values import Names, Values, by_layer, layer_count, number, renamed

_STATE = {"conv_kernel": "ssm.conv_kernel", "state_size": "ssm.state_size"}
_BESIDE = {"mamba_d_conv": "ssm.conv_kernel", "mamba_d_state": "ssm.state_size"}


def _expansion(values: Values) -> int:
    hidden, inner = number(values, "embedding_length"), number(values, "ssm.inner_size")
    if hidden < 1 or inner < 1 or inner % hidden:
        raise ConfigError("ssm.inner_size", "unsupported_value", value=inner)
    return inner // hidden


def _head_dim(values: Values) -> int:
    heads, inner = number(values, "ssm.time_step_rank"), number(values, "ssm.inner_size")
    if heads < 1 or inner < 1 or inner % heads:
        raise ConfigError("ssm.inner_size", "unsupported_value", value=inner)
    return inner // heads


def _kinds(values: Values, recurrent: str) -> list[str]:
    """A layer without key/value heads is recurrent."""
    return ["full_attention" if heads else recurrent for heads in by_layer(values, "attention.head_count_kv")]


def mamba(values: Values, names: Names) -> dict[str, object]:
    """`MambaModel` in `conversion/mamba.py`; Falcon's has norms of time step, B and C, which store nothing."""
    return {
        "model_type": "falcon_mamba" if values.get("ssm.dt_b_c_rms") is True else "mamba",
        **renamed(values, _STATE),
        "expand": _expansion(values),
        "time_step_rank": values.get("ssm.time_step_rank"),
    }


def mamba2(values: Values, names: Names) -> dict[str, object]:
    """`Mamba2Model` in `conversion/mamba.py`."""
    return {
        **renamed(values, _STATE),
        "expand": _expansion(values),
        "num_heads": values.get("ssm.time_step_rank"),
        "head_dim": _head_dim(values),
        "n_groups": values.get("ssm.group_count"),
    }


def jamba(values: Values, names: Names) -> dict[str, object]:
    """`JambaModel` in `conversion/jamba.py`: the layers that hold experts are told by their tensors."""
    kinds, layers = _kinds(values, "mamba"), layer_count(values)
    sparse = [index for index in range(layers) if f"blk.{index}.ffn_gate_exps.weight" in names]
    step = sparse[1] - sparse[0] if len(sparse) > 1 else 2
    return {
        "num_key_value_heads": max(by_layer(values, "attention.head_count_kv")),
        "layer_types": kinds,
        "attn_layer_period": layers,
        "attn_layer_offset": 0,
        "expert_layer_period": step,
        "expert_layer_offset": sparse[0] if sparse else 1,
        "num_experts": values.get("expert_count", 1),
        "num_experts_per_tok": values.get("expert_used_count", 1),
        **renamed(values, _BESIDE),
        "mamba_expand": _expansion(values),
        "mamba_dt_rank": values.get("ssm.time_step_rank"),
    }


def _mamba2_beside(values: Values) -> dict[str, object]:
    """Mamba 2 within a hybrid."""
    heads = {"mamba_n_heads": "ssm.time_step_rank", "mamba_n_groups": "ssm.group_count"}
    return renamed(values, _BESIDE | heads) | {"mamba_d_head": _head_dim(values)}


def falcon_h1(values: Values, names: Names) -> dict[str, object]:
    """`FalconH1Model` in `conversion/falcon_h1.py`."""
    return {
        "mamba_d_ssm": values.get("ssm.inner_size"),
        **_mamba2_beside(values),
        "mamba_rms_norm": "blk.0.ssm_norm.weight" in names,
        "attention_bias": "blk.0.attn_q.bias" in names,
        "mamba_conv_bias": not names or "blk.0.ssm_conv1d.bias" in names,
    }


def granite_hybrid(values: Values, names: Names) -> dict[str, object]:
    """`GraniteHybridModel` in `conversion/granite.py`."""
    experts, shared = values.get("expert_count"), values.get("expert_shared_feed_forward_length")
    size = values.get("feed_forward_length")
    return {
        "num_key_value_heads": max(by_layer(values, "attention.head_count_kv")),
        "layer_types": ["attention" if kind == "full_attention" else kind for kind in _kinds(values, "mamba")],
        "shared_intermediate_size": shared or (None if experts else size),
        "num_local_experts": experts or 0,
        "num_experts_per_tok": values.get("expert_used_count"),
        **_mamba2_beside(values),
        "mamba_expand": _expansion(values),
    }


def bailing_hybrid(values: Values, names: Names) -> dict[str, object]:
    """`BailingMoeV3Model` in `conversion/bailing.py`: a list of heads counts the layers that predict, too."""
    layers = layer_count(values) - number(values, "nextn_predict_layers")
    return {
        **latent_alone(values, names),
        "head_dim": values.get("kda.head_dim"),
        "num_shared_experts": values.get("expert_shared_count"),
        "layer_types": _kinds(values, "linear_attention")[:layers],
        "short_conv_kernel_size": values.get("ssm.conv_kernel"),
    }


def kimi_linear(values: Values, names: Names) -> dict[str, object]:
    """`KimiLinearModel` in `conversion/kimi_linear.py`: linear layers have as many heads as the others."""
    kinds = _kinds(values, "kda")
    latent = {key: value for key, value in latent_alone(values, names).items() if key not in ("n_group", "topk_group")}
    return {
        **latent,
        "num_shared_experts": values.get("expert_shared_count"),
        "linear_attn_config": {
            "full_attn_layers": [index + 1 for index, kind in enumerate(kinds) if kind == "full_attention"],
            "kda_layers": [index + 1 for index, kind in enumerate(kinds) if kind == "kda"],
            "num_heads": values.get("attention.head_count"),
            "head_dim": values.get("kda.head_dim"),
            "short_conv_kernel_size": values.get("ssm.conv_kernel"),
        },
    }
