"""Latent and compressed attention, as the converters of llama.cpp write their sizes (`conversion/deepseek.py`)."""

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
