"""The metadata that llama.cpp's converters write (`conversion/*.py`), one function for each that differs, from the
config.json that a file is made from."""

from __future__ import annotations

from typing import Any

Config = dict[str, Any]


PLAIN = {
    "block_count": "num_hidden_layers",
    "context_length": "max_position_embeddings",
    "embedding_length": "hidden_size",
    "feed_forward_length": "intermediate_size",
    "attention.head_count": "num_attention_heads",
    "attention.head_count_kv": "num_key_value_heads",
    "attention.key_length": "head_dim",
    "attention.sliding_window": "sliding_window",
}


def plain(config: Config) -> Config:
    """`TextModel.set_gguf_parameters` in `conversion/base.py`."""
    return {new: config[old] for new, old in PLAIN.items() if config.get(old) is not None}


def routed(config: Config, *, count: str = "n_routed_experts", shared: str = "n_shared_experts") -> Config:
    keys = {
        "expert_count": count,
        "expert_used_count": "num_experts_per_tok",
        "expert_feed_forward_length": "moe_intermediate_size",
        "expert_shared_count": shared,
        "leading_dense_block_count": "first_k_dense_replace",
        "expert_weights_norm": "norm_topk_prob",
        "expert_weights_scale": "routed_scaling_factor",
        "expert_group_count": "n_group",
        "expert_group_used_count": "topk_group",
    }
    said = {"norm_topk_prob": True} | config  # which the catalogue's trimmed files may leave out
    return plain(config) | {new: said[old] for new, old in keys.items() if said.get(old) is not None}


def grok(config: Config) -> Config:
    """`conversion/grok.py`."""
    return plain(config) | {
        "expert_count": config["num_local_experts"],
        "expert_used_count": config["num_experts_per_tok"],
        "expert_feed_forward_length": config["moe_intermediate_size"],
    }


def latent(config: Config) -> Config:
    """`DeepseekV2Model` in `conversion/deepseek.py`."""
    nope, rope = config["qk_nope_head_dim"], config["qk_rope_head_dim"]
    return routed(config) | {
        "attention.head_count_kv": 1,
        "attention.q_lora_rank": config["q_lora_rank"],
        "attention.kv_lora_rank": config["kv_lora_rank"],
        "attention.key_length": config["kv_lora_rank"] + rope,
        "attention.value_length": config["kv_lora_rank"],
        "attention.key_length_mla": nope + rope,
        "attention.value_length_mla": config["v_head_dim"],
        "rope.dimension_count": rope,
    }


def indexed(config: Config) -> Config:
    return latent(config) | {
        "attention.indexer.head_count": config["index_n_heads"],
        "attention.indexer.key_length": config["index_head_dim"],
        "attention.indexer.top_k": config["index_topk"],
    }


def windows(config: Config) -> Config:
    kinds = config.get("layer_types")
    return {"attention.sliding_window_pattern": [kind == "sliding_attention" for kind in kinds]} if kinds else {}


def falcon(config: Config) -> Config:
    heads = config.get("num_kv_heads") or config.get("n_head_kv") or 1
    own = {"context_length": 2048, "feed_forward_length": 4 * config["hidden_size"], "attention.head_count_kv": heads}
    return plain(config) | own


def gpt2(config: Config) -> Config:
    return {
        "block_count": config["n_layer"],
        "context_length": config["n_positions"],
        "embedding_length": config["n_embd"],
        "feed_forward_length": 4 * config["n_embd"],
        "attention.head_count": config["n_head"],
    }


def starcoder(config: Config) -> Config:
    return gpt2(config) | {"attention.head_count_kv": 1}


def bloom(config: Config) -> Config:
    hidden, heads = config.get("hidden_size") or config["n_embed"], config["n_head"]
    own = {"attention.head_count": heads, "attention.head_count_kv": heads, "block_count": config["n_layer"]}
    return own | {"context_length": 2048, "embedding_length": hidden, "feed_forward_length": 4 * hidden}


def mpt(config: Config) -> Config:
    return {
        "block_count": config["n_layers"],
        "context_length": config["max_seq_len"],
        "embedding_length": config["d_model"],
        "feed_forward_length": config["expansion_ratio"] * config["d_model"],
        "attention.head_count": config["n_heads"],
    }


def gemma3n(config: Config) -> Config:
    return {
        **plain(config),
        **windows(config),
        "altup.num_inputs": config["altup_num_inputs"],
        "attention.shared_kv_layers": config["num_kv_shared_layers"],
        "embedding_length_per_layer_input": config["hidden_size_per_layer_input"],
    }


def chatglm(config: Config) -> Config:
    return {
        "block_count": config["num_layers"],
        "context_length": config["seq_length"],
        "embedding_length": config["hidden_size"],
        "feed_forward_length": config["ffn_hidden_size"],
        "attention.head_count": config["num_attention_heads"],
        "attention.head_count_kv": config["multi_query_group_num"],
    }


def dbrx(config: Config) -> Config:
    return {
        "block_count": config["n_layers"],
        "context_length": config["max_seq_len"],
        "embedding_length": config["d_model"],
        "feed_forward_length": config["ffn_config"]["ffn_hidden_size"],
        "attention.head_count": config["n_heads"],
        "attention.head_count_kv": config["attn_config"]["kv_n_heads"],
        "expert_count": config["ffn_config"]["moe_num_experts"],
        "expert_used_count": config["ffn_config"]["moe_top_k"],
    }


def openelm(config: Config) -> Config:
    widths = config["ffn_multipliers"]
    return {
        "block_count": config["num_transformer_layers"],
        "context_length": config["max_context_length"],
        "embedding_length": config["model_dim"],
        "feed_forward_length": [256 * int(width * config["model_dim"] / 256 + 0.5) for width in widths],
        "attention.head_count": config["num_query_heads"],
        "attention.head_count_kv": config["num_kv_heads"],
        "attention.key_length": config["head_dim"],
    }


def deci(config: Config) -> Config:
    """No `ffn_mult` that is not a size: two thirds of it times the hidden size, in steps of 256."""
    heads, hidden = config["num_attention_heads"], config["hidden_size"]
    parts = [(block["attention"], block["ffn"]) for block in config["block_configs"]]
    queries = [0 if attn["no_op"] else heads for attn, _ in parts]
    keys = [0 if not attn["n_heads_in_group"] else heads // attn["n_heads_in_group"] for attn, _ in parts]
    widths = [0 if ffn["no_op"] else 256 * -(-int(2 * ffn["ffn_mult"] * hidden / 3) // 256) for _, ffn in parts]
    own = {"attention.head_count": queries, "attention.head_count_kv": keys, "feed_forward_length": widths}
    return plain(config) | own


def phi2(config: Config) -> Config:
    heads = config["num_attention_heads"]
    return plain(config) | {"feed_forward_length": 4 * config["hidden_size"], "attention.head_count_kv": heads}


def minicpm3(config: Config) -> Config:
    rope = config["qk_rope_head_dim"]
    return plain(config) | {
        "attention.q_lora_rank": config["q_lora_rank"],
        "attention.kv_lora_rank": config["kv_lora_rank"],
        "attention.key_length": config["qk_nope_head_dim"] + rope,
        "rope.dimension_count": rope,
    }


def stablelm(config: Config) -> Config:
    return plain(config) | {"use_parallel_residual": config.get("use_parallel_residual", True)}
