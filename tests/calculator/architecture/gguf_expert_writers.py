"""The metadata that llama.cpp's converters write of mixtures of experts (`conversion/*.py`)."""

from __future__ import annotations

from tests.calculator.architecture.gguf_writers import Config, indexed, plain, routed, windows


def mimo2(config: Config) -> Config:
    hybrid = [*config["hybrid_layer_pattern"], 1, 1, 1]
    heads = {0: config["num_key_value_heads"], 1: config["swa_num_key_value_heads"]}
    own = routed(config) | {
        "block_count": config["num_hidden_layers"] + 3,
        "nextn_predict_layers": 3,
        "attention.head_count_kv": [heads[flag] for flag in hybrid],
        "attention.sliding_window_pattern": hybrid,
        "attention.value_length": config["v_head_dim"],
    }
    return {key: value for key, value in own.items() if key != "leading_dense_block_count"}


def hunyuan_moe(config: Config) -> Config:
    def first(value: object) -> object:
        return value[0] if isinstance(value, list) else value

    return plain(config) | {
        "expert_count": config["num_experts"],
        "expert_used_count": first(config["moe_topk"]),
        "expert_feed_forward_length": first(config["moe_intermediate_size"]),
        "expert_shared_count": first(config["num_shared_expert"]),
        "expert_shared_feed_forward_length": config["intermediate_size"],
    }


def afmoe(config: Config) -> Config:
    return plain(config) | {
        "expert_count": config["num_experts"],
        "expert_used_count": config["num_experts_per_tok"],
        "expert_shared_count": config["num_shared_experts"],
        "expert_feed_forward_length": config["moe_intermediate_size"],
        "leading_dense_block_count": config["num_dense_layers"],
        "expert_weights_scale": config.get("route_scale", 1.0),
    }


def exaone_moe(config: Config) -> Config:
    return routed(config, count="num_experts", shared="num_shared_experts") | windows(config)


def bailing(config: Config) -> Config:
    return routed(config, count="num_experts", shared="num_shared_experts") | {"expert_weights_scale": 1.0}


def phimoe(config: Config) -> Config:
    return plain(config) | {
        "expert_count": config["num_local_experts"],
        "expert_used_count": config["num_experts_per_tok"],
    }


def cohere2_moe(config: Config) -> Config:
    first = next((i for i, kind in enumerate(config.get("mlp_layer_types") or ()) if kind != "dense"), None)
    own = plain(config) | windows(config)
    return own | {
        "feed_forward_length": config["prefix_dense_intermediate_size"],
        "expert_feed_forward_length": config["intermediate_size"],
        "expert_count": config["num_experts"],
        "expert_used_count": config["num_experts_per_tok"],
        "expert_shared_count": config["num_shared_experts"],
        "leading_dense_block_count": config["first_k_dense_replace"] if first is None else first,
        "expert_weights_norm": config.get("norm_topk_prob", False),
    }


def mellum(config: Config) -> Config:
    return routed(config, count="num_experts") | windows(config)


def hy_v3(config: Config) -> Config:
    size = config["moe_intermediate_size"] * config["num_shared_experts"]
    own = {key: value for key, value in routed(config, count="num_experts").items() if "leading" not in key}
    return own | {"expert_shared_feed_forward_length": size, "expert_weights_scale": 1.0}


def laguna(config: Config) -> Config:
    """No pattern of windows: `src/models/laguna.cpp` knows it."""
    kinds = config["mlp_layer_types"]
    return plain(config) | {
        "attention.head_count": config["num_attention_heads_per_layer"],
        "expert_count": config["num_experts"],
        "expert_used_count": config["num_experts_per_tok"],
        "expert_feed_forward_length": config["moe_intermediate_size"],
        "expert_shared_feed_forward_length": config["shared_expert_intermediate_size"],
        "leading_dense_block_count": kinds.index("sparse"),
        "expert_weights_norm": True,
        "expert_weights_scale": 1.0,
    }


def step35(config: Config) -> Config:
    """With `--no-mtp`."""
    windowed = [kind == "sliding_attention" for kind in config["layer_types"]]
    heads = config["num_sliding_attention_heads"], config["num_attention_heads"]
    return plain(config) | {
        "attention.head_count": [heads[0] if window else heads[1] for window in windowed],
        "attention.head_count_kv": [config["num_key_value_heads"]] * len(windowed),
        "attention.sliding_window_pattern": windowed,
        "attention.value_length": config["head_dim"],
        "expert_count": config["num_experts"],
        "expert_used_count": config["num_experts_per_tok"],
        "expert_feed_forward_length": config["moe_intermediate_size"],
        "expert_shared_feed_forward_length": config["share_expert_dim"],
        "expert_weights_scale": config["moe_router_scaling_factor"],
        "leading_dense_block_count": config["first_k_dense_replace"],
        "moe_every_n_layers": 1,
    }


def deepseek4(config: Config) -> Config:
    """`DeepseekV4Model` in `conversion/deepseek.py`."""
    own = {key: value for key, value in routed(config).items() if "group" not in key}
    return own | {
        "attention.q_lora_rank": config["q_lora_rank"],
        "attention.indexer.head_count": config["index_n_heads"],
        "attention.indexer.key_length": config["index_head_dim"],
        "attention.indexer.top_k": config["index_topk"],
        "attention.output_group_count": config["o_groups"],
        "attention.output_lora_rank": config["o_lora_rank"],
        "attention.compress_ratios": config["compress_ratios"][: config["num_hidden_layers"]],
        "hyper_connection.count": config["hc_mult"],
        "hash_layer_count": config["num_hash_layers"],
        "rope.dimension_count": config["qk_rope_head_dim"],
    }


def hy_v4(config: Config) -> Config:
    """`HYV4Model`: which layers own an indexer is written, and no groups."""
    layers = range(config["num_hidden_layers"])  # the default of its class: each fourth, and the first three
    types = config.get("indexer_types") or ["shared" if max(index - 1, 0) % 4 else "full" for index in layers]
    own = {"attention.indexer.types": [kind == "full" for kind in types], "hyper_connection.count": config["hc_mult"]}
    return {key: value for key, value in indexed(config).items() if "group" not in key} | own


def glm5_next(config: Config) -> Config:
    """`Glm5NextModel` in `conversion/glm5next.py`."""
    heads, head_dim = config["linear_num_heads"], config["linear_head_dim"]
    own = {
        "hyper_connection.count": config["hc_mult"],
        "ssm.conv_kernel": config["linear_conv_kernel_dim"],
        "ssm.inner_size": heads * head_dim,
        "ssm.state_size": head_dim,
        "ssm.group_count": heads,
        "attention.indexer.block_size": config.get("index_kpool", 16),
    }
    return indexed(config) | own


def minimax_m3(config: Config) -> Config:
    """`MiniMaxM3Model` in `conversion/minimax.py`."""
    sparse = config["sparse_attention_config"]
    own = {
        "expert_count": config["num_local_experts"],
        "expert_feed_forward_length": config["intermediate_size"],
        "leading_dense_block_count": config["moe_layer_freq"].index(1),
        "attention.indexer.head_count": sparse["sparse_num_index_heads"],
        "attention.indexer.key_length": sparse["sparse_index_dim"],
        "attention.indexer.top_k": sparse["sparse_topk_blocks"],
        "attention.indexer.block_size": sparse["sparse_block_size"],
    }
    return {key: value for key, value in routed(config).items() if key != "leading_dense_block_count"} | own
