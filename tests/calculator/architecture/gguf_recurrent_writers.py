"""As `gguf_writers`, of models with recurrent layers."""

from __future__ import annotations

from tests.calculator.architecture.gguf_writers import Config, latent, plain


def recurrent(inner: int, rank: int, config: Config) -> Config:
    """Heads and feed-forward are nought; the context is any number."""
    return {
        "block_count": config["num_hidden_layers"],
        "context_length": 2**20,
        "embedding_length": config["hidden_size"],
        "feed_forward_length": 0,
        "attention.head_count": 0,
        "ssm.conv_kernel": config["conv_kernel"],
        "ssm.inner_size": inner,
        "ssm.state_size": config["state_size"],
        "ssm.time_step_rank": rank,
    }


def mamba(config: Config) -> Config:
    rank, hidden = config.get("time_step_rank", "auto"), config["hidden_size"]
    norms = {"ssm.dt_b_c_rms": config["model_type"] == "falcon_mamba"}
    return recurrent(2 * hidden, -(-hidden // 16) if rank == "auto" else rank, config) | norms


def mamba2(config: Config) -> Config:
    inner = 2 * config["hidden_size"]
    return recurrent(inner, inner // config["head_dim"], config) | {"ssm.group_count": config["n_groups"]}


def jamba(config: Config) -> Config:
    period, offset = config["attn_layer_period"], config["attn_layer_offset"]
    number, heads = config["num_hidden_layers"], config["num_key_value_heads"]
    return plain(config) | {
        "attention.head_count_kv": [heads * (i % period == offset) for i in range(number)],
        "expert_count": config["num_experts"],
        "expert_used_count": config["num_experts_per_tok"],
        "ssm.conv_kernel": config["mamba_d_conv"],
        "ssm.inner_size": config["mamba_expand"] * config["hidden_size"],
        "ssm.state_size": config["mamba_d_state"],
        "ssm.time_step_rank": config["mamba_dt_rank"],
    }


def beside_mamba2(config: Config, inner: int) -> Config:
    return plain(config) | {
        "ssm.conv_kernel": config["mamba_d_conv"],
        "ssm.inner_size": inner,
        "ssm.state_size": config["mamba_d_state"],
        "ssm.time_step_rank": config["mamba_n_heads"],
        "ssm.group_count": config["mamba_n_groups"],
    }


def falcon_h1(config: Config) -> Config:
    return beside_mamba2(config, config["mamba_d_ssm"])


def granite_hybrid(config: Config) -> Config:
    heads = [
        config["num_key_value_heads"] * (kind in ("attention", "full_attention")) for kind in config["layer_types"]
    ]
    experts = {"expert_count": config["num_local_experts"], "expert_used_count": config["num_experts_per_tok"]}
    return {
        **beside_mamba2(config, config["mamba_expand"] * config["hidden_size"]),
        **(experts if config["num_local_experts"] else {}),
        "attention.head_count_kv": heads,
        "expert_shared_feed_forward_length": config["shared_intermediate_size"],
    }


def kimi_linear(config: Config) -> Config:
    full = [kind == "full_attention" for kind in config["layer_types"]]
    own = latent(config) | {
        "attention.head_count_kv": [int(flag) for flag in full],
        "expert_count": config["num_experts"],
        "expert_used_count": config["num_experts_per_token"],
        "expert_shared_count": config["num_shared_experts"],
        "ssm.conv_kernel": config["linear_conv_kernel_dim"],
        "kda.head_dim": config["linear_head_dim"],
    }
    return {key: value for key, value in own.items() if value is not None}


def bailing_hybrid(config: Config) -> Config:
    """`BailingMoeV3Model` in `conversion/bailing.py`."""
    layers, every = config["num_hidden_layers"], config["layer_group_size"]
    own = {
        "attention.head_count_kv": [
            int((index + 1) % every == 0 or index >= layers // every * every) for index in range(layers)
        ],
        "kda.head_dim": config["head_dim"],
        "ssm.conv_kernel": config["short_conv_kernel_size"],
        "expert_count": config["num_experts"],
        "expert_shared_count": config["num_shared_experts"],
    }
    return latent(config) | own
