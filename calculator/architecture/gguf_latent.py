"""Latent, compressed and indexed attention, as the converters of llama.cpp write it (`conversion/deepseek.py`)."""

from __future__ import annotations

from calculator.architecture.gguf_experts import grouped
from calculator.architecture.gguf_values import Names, Values, number, renamed

_INDEXER = {
    "index_n_heads": "attention.indexer.head_count",
    "index_head_dim": "attention.indexer.key_length",
    "index_topk": "attention.indexer.top_k",
}


def deepseek2(values: Values, names: Names) -> dict[str, object]:
    """`DeepseekV2Model`: one key/value head, the latent, and the sizes of a decompressed head apart."""
    corrected = any("exp_probs_b" in name for name in names)
    return latent_alone(values, names) | {"model_type": "deepseek_v3" if corrected else "deepseek_v2"}


def latent_alone(values: Values, names: Names) -> dict[str, object]:
    """Latent attention of a model type of its own."""
    rope = number(values, "rope.dimension_count")
    whole = number(values, "attention.key_length_mla") or number(values, "attention.key_length")
    return grouped(values, names) | {
        "head_dim": None,
        "num_key_value_heads": values.get("attention.head_count"),
        "kv_lora_rank": values.get("attention.kv_lora_rank"),
        "q_lora_rank": values.get("attention.q_lora_rank"),
        "qk_rope_head_dim": rope,
        "qk_nope_head_dim": whole - rope,
        "v_head_dim": values.get("attention.value_length_mla") or values.get("attention.value_length"),
    }


def indexed(values: Values, names: Names) -> dict[str, object]:
    """`DeepseekV32Model`, and `GlmMoeDsaModel` in `conversion/glm.py`: an indexer beside latent attention, in the
    layers that have its tensors."""
    return latent_alone(values, names) | renamed(values, _INDEXER)


def indexed_where_told(values: Values, names: Names) -> dict[str, object]:
    layers = number(values, "block_count") - number(values, "nextn_predict_layers")
    told = [f"blk.{index}.indexer.attn_k.weight" in names for index in range(max(layers, 0) if names else 0)]
    listed = ["full" if own else "shared" for own in told]
    return {**indexed(values, names), **({"indexer_types": listed} if listed else {})}


def hy_v4(values: Values, names: Names) -> dict[str, object]:
    """`HYV4Model` in `conversion/hunyuan.py`: DeepSeek's sizes, indexers in the layers that are told, and streams."""
    found = indexed_where_told(values, names)
    told = values.get("attention.indexer.types")
    if isinstance(told, list):
        found["indexer_types"] = ["full" if own is True else "shared" for own in told]
    return found | {"hc_mult": values.get("hyper_connection.count")}


def glm5_next(values: Values, names: Names) -> dict[str, object]:
    """`Glm5NextModel` in `conversion/glm5next.py`: without tensors, every fourth layer attends."""
    layers = number(values, "block_count") - number(values, "nextn_predict_layers")
    linear = [f"blk.{index}.ssm_beta.weight" in names for index in range(max(layers, 0) if names else 0)]
    kinds = ["linear_attention" if one else "full_attention" for one in linear]
    return {
        **{key: value for key, value in indexed(values, names).items() if key not in ("n_group", "topk_group")},
        **({"layer_types": kinds} if kinds else {}),
        "linear_attn_config": {
            "num_heads": values.get("ssm.group_count"),
            "head_dim": values.get("ssm.state_size"),
            "short_conv_kernel_size": values.get("ssm.conv_kernel"),
        },
        "index_kpool": values.get("attention.indexer.block_size"),
        "hc_mult": values.get("hyper_connection.count"),
    }


def minimax_m3(values: Values, names: Names) -> dict[str, object]:
    """`MiniMaxM3Model` in `conversion/minimax.py`: the dense layers come first and attend to all, the others have an
    indexer. The width of the dense ones is that of their tensors, where the file has any."""
    layers = number(values, "block_count") - number(values, "nextn_predict_layers")
    first, size = number(values, "leading_dense_block_count"), values.get("expert_feed_forward_length")
    wide, hidden = names.get("blk.0.ffn_up.weight"), max(number(values, "embedding_length"), 1)
    return {
        "intermediate_size": size,
        "dense_intermediate_size": wide // hidden if wide else values.get("feed_forward_length"),
        "shared_intermediate_size": size if values.get("expert_shared_count") else None,
        "num_local_experts": values.get("expert_count"),
        "num_experts_per_tok": values.get("expert_used_count"),
        "first_k_dense_replace": first,
        "layer_types": [
            "minimax_m3_sparse" if index >= first else "full_attention" for index in range(min(max(layers, 0), 512))
        ],
        "index_n_heads": values.get("attention.indexer.head_count"),
        "index_head_dim": values.get("attention.indexer.key_length"),
        "index_topk_blocks": values.get("attention.indexer.top_k"),
        "index_block_size": values.get("attention.indexer.block_size"),
        "use_qk_norm": True,
    }


def deepseek4(values: Values, names: Names) -> dict[str, object]:
    """`DeepseekV4Model`; `src/models/deepseek4.cpp` asks for as many compression rates as there are layers, those that
    predict among them."""
    experts = {key: value for key, value in grouped(values, names).items() if key not in _NOT_OF_V4}
    return {
        **experts,
        **renamed(values, _INDEXER),
        "qk_rope_head_dim": values.get("rope.dimension_count"),
        "q_lora_rank": values.get("attention.q_lora_rank"),
        "o_groups": values.get("attention.output_group_count"),
        "o_lora_rank": values.get("attention.output_lora_rank"),
        "compress_ratios": values.get("attention.compress_ratios"),
        "hc_mult": values.get("hyper_connection.count"),
        "num_hash_layers": values.get("hash_layer_count"),
    }


_NOT_OF_V4 = frozenset({"first_k_dense_replace", "n_group", "topk_group"})
