"""Older and smaller decoders, as the converters of llama.cpp write their sizes (`conversion/*.py`), where the names of
the tensors tell what the metadata do not."""

from __future__ import annotations

from calculator.architecture.gguf_values import Names, Values, by_layer, number


def _has(names: Names, role: str, kind: str = "weight") -> bool:
    return f"blk.0.{role}.{kind}" in names


def biased(values: Values, names: Names) -> dict[str, object]:
    """Biases by the names of the configs of transformers: of attention and of the feed-forward."""
    attention = _has(names, "attn_q", "bias") or _has(names, "attn_qkv", "bias")
    return {"attention_bias": attention, "mlp_bias": _has(names, "ffn_up", "bias")}


def falcon(values: Values, names: Names) -> dict[str, object]:
    """`FalconModel` in `conversion/falcon.py`; `src/models/falcon.cpp` looks whether a second norm is there (40B)."""
    kv = number(values, "attention.head_count_kv")
    return {
        "num_kv_heads": kv,
        "multi_query": kv == 1,
        "new_decoder_architecture": kv > 1,
        "num_ln_in_parallel_attn": 2 if _has(names, "attn_norm_2") or (kv > 1 and not names) else 1,
    }


def gpt_neox(values: Values, names: Names) -> dict[str, object]:
    return {"attention_bias": not names or _has(names, "attn_qkv", "bias")}


def gpt_bigcode(values: Values, names: Names) -> dict[str, object]:
    """`StarCoderModel` in `conversion/starcoder.py`: one key/value head."""
    return {"multi_query": True}


def mpt(values: Values, names: Names) -> dict[str, object]:
    """`MPTModel` in `conversion/mpt.py`."""
    hidden, size = number(values, "embedding_length"), number(values, "feed_forward_length")
    heads = values.get("attention.head_count_kv")
    return {
        "expansion_ratio": size // hidden if hidden > 0 else None,
        **({"attn_config": {"kv_n_heads": heads}} if heads is not None else {}),
    }


def stablelm(values: Values, names: Names) -> dict[str, object]:
    """`StableLMModel` in `conversion/stablelm.py`: norms of queries and keys are stacked by head."""
    return {
        "use_parallel_residual": values.get("use_parallel_residual", False) and not _has(names, "ffn_norm"),
        "use_qkv_bias": _has(names, "attn_q", "bias"),
        "qk_layernorm": _has(names, "attn_q_norm"),
    }


def chatglm(values: Values, names: Names) -> dict[str, object]:
    """`ChatGLMModel` in `conversion/chatglm.py`."""
    return {
        "multi_query_attention": True,
        "multi_query_group_num": values.get("attention.head_count_kv"),
        "add_qkv_bias": _has(names, "attn_qkv", "bias") or _has(names, "attn_q", "bias"),
    }


def pangu(values: Values, names: Names) -> dict[str, object]:
    """`PanguEmbeddedModel` in `conversion/pangu.py`."""
    return {"bias": _has(names, "attn_output", "bias"), "qkv_bias": _has(names, "attn_q", "bias")}


def minicpm3(values: Values, names: Names) -> dict[str, object]:
    """`MiniCPM3Model` in `conversion/minicpm.py`: values are as wide as a head would be of the hidden size."""
    rope, key = number(values, "rope.dimension_count"), number(values, "attention.key_length")
    heads = max(number(values, "attention.head_count"), 1)
    return {
        "q_lora_rank": values.get("attention.q_lora_rank"),
        "kv_lora_rank": values.get("attention.kv_lora_rank"),
        "qk_rope_head_dim": rope,
        "qk_nope_head_dim": key - rope,
        "v_head_dim": values.get("attention.value_length") or number(values, "embedding_length") // heads,
    }


def openelm(values: Values, names: Names) -> dict[str, object]:
    """`OpenELMModel` in `conversion/openelm.py`: heads and the width of the feed-forward by layer."""
    hidden, sizes = number(values, "embedding_length"), by_layer(values, "feed_forward_length")
    return {
        "num_query_heads": by_layer(values, "attention.head_count"),
        "num_kv_heads": by_layer(values, "attention.head_count_kv"),
        "ffn_multipliers": [size / hidden for size in sizes] if hidden > 0 else None,
    }


def deci(values: Values, names: Names) -> dict[str, object]:
    """`DeciModel` in `conversion/deci.py`; `src/models/deci.cpp`: without heads no attention; heads without keys,
    one linear map; without a width no feed-forward."""
    layers = zip(
        by_layer(values, "attention.head_count"),
        by_layer(values, "attention.head_count_kv"),
        by_layer(values, "feed_forward_length"),
        strict=True,
    )
    queries, blocks = max(by_layer(values, "attention.head_count")), []
    for heads, kv_heads, width in layers:
        shared = {"n_heads_in_group": heads // kv_heads} if kv_heads > 0 else {"replace_with_linear": True}
        attention = shared if heads else {"no_op": True}
        blocks.append({"attention": attention, "ffn": {"intermediate_size": width} if width else {"no_op": True}})
    return {"num_attention_heads": queries, "block_configs": blocks}


def phimoe(values: Values, names: Names) -> dict[str, object]:
    """`PhiMoeModel` in `conversion/phi.py`."""
    return {
        "num_local_experts": values.get("expert_count"),
        "num_experts_per_tok": values.get("expert_used_count"),
        "attention_bias": _has(names, "attn_q", "bias") or _has(names, "attn_qkv", "bias"),
        "lm_head_bias": "output.bias" in names,
    }
