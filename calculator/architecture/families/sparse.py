"""Decoders with plain attention and a mixture of experts: rows of traits."""

from __future__ import annotations

from dataclasses import replace

from calculator.architecture.attention import attention, mixer
from calculator.architecture.decoder import Decoder, decoder, layer_kinds
from calculator.architecture.families.dense import BIASED, COHERE, LLAMA, exaone_window
from calculator.architecture.families.standard import (
    POST_NORMS,
    SANDWICH_NORMS,
    Family,
    Sparse,
    Standard,
    every_layer_windowed,
    first_dense,
    upper_layers_windowed,
)
from calculator.architecture.feed_forward import experts, read_experts
from calculator.architecture.fields import Fields
from calculator.architecture.shape import Experts
from calculator.architecture.tensors import Block, norms


def every_sparse_step(c: Fields) -> list[str]:
    """Every `decoder_sparse_step`th layer is sparse, but for those listed in `mlp_only_layers` (Qwen MoE)."""
    step = c.size("decoder_sparse_step", 1)
    only = set(c.sizes("mlp_only_layers") or ())
    if c.has("mlp_layer_types"):
        return layer_kinds(c, name="mlp_layer_types")
    return ["sparse" if i not in only and (i + 1) % step == 0 else "dense" for i in range(c.size("num_layers"))]


def qwen3_moe_window(c: Fields) -> list[str]:
    """All layers or none, as `use_sliding_window` says."""
    windowed = c.flag("use_sliding_window")
    c.ignore("max_window_layers")
    if not windowed:
        c.ignore("sliding_window")
        return layer_kinds(c, "F")
    return every_layer_windowed(c)


def ernie_range(c: Fields) -> list[str]:
    """Every `moe_layer_interval`th layer between a first and a last one is sparse (ERNIE 4.5)."""
    number = c.size("num_layers")
    first, step = c.count("moe_layer_start_index"), c.size("moe_layer_interval", 1)
    last = c.size("moe_layer_end_index", -1, least=-1)
    last = number - 1 if last == -1 else last
    return ["sparse" if (i + 1) % step == 0 and first <= i <= last else "dense" for i in range(number)]


def flint_layers(c: Fields) -> list[str]:
    number = c.size("num_layers")
    if c.has("layer_types"):
        return layer_kinds(c)
    return ["full" if i < 2 or i % 4 == 1 or i == number - 1 else "sliding" for i in range(number)]


def afmoe_window(c: Fields) -> list[str]:
    return layer_kinds(c, "S" * (c.size("global_attn_every_n_layers", 4) - 1) + "F")


def cohere_window(c: Fields) -> list[str]:
    """Cohere 2 MoE: the leading dense layers have a window pattern of their own."""
    first, number = c.count("num_dense_layers"), c.size("num_layers")
    prefix, period = c.size("prefix_dense_sliding_window_pattern", 1), c.size("sliding_window_pattern", 4)
    if c.has("layer_types"):
        return layer_kinds(c)
    places = [(i + 1) % prefix if i < first else (i - first + 1) % period for i in range(number)]
    return ["sliding" if place else "full" for place in places]


def cohere_dense_size(c: Fields) -> int:
    return c.size("prefix_dense_intermediate_size", None) or c.size("intermediate_size")


def one_dense(c: Fields) -> list[str]:
    return first_dense(c, 1)


def stated_layers(c: Fields) -> list[str]:
    """What transformers' class for DeepSeek-OCR 2 has no default for."""
    if not (c.has("mlp_layer_types") or c.has("num_dense_layers")):
        raise c.fail("mlp_layer_types", "missing")
    c.ignore("topk_method")
    return first_dense(c)


def hunyuan_moe(c: Fields) -> Decoder:
    """Hunyuan A13B writes per-layer lists where all layers are alike; the shared expert is `intermediate_size` wide."""
    hidden, size = c.size("hidden_size"), c.size("intermediate_size")
    shared = c.uniform("num_shared_experts", 1)
    spec = Experts(
        num_experts=c.size("num_experts"),
        num_active_experts=c.uniform("num_active_experts"),
        expert_size=c.uniform("expert_size", size),
        num_shared_experts=shared,
        shared_size=shared * size,
    )
    c.ignore("use_mixed_mlp_moe", "moe_layer_num_skipped", "use_cla", "cla_share_factor", "use_qk_norm")
    c.ignore("dense_list", "norm_type", "org_vocab_size", "pool_type", "unified_moe", "num_media_embeds")
    c.ignore("anyres_pooling_size", "vit_mapping_type", "vit_norm_type", "vit_patch")
    block = replace(BIASED, qk_norm="head").mixer(c, "full") + norms(("attn_norm", "ffn_norm"), hidden)
    return decoder(c, [block + experts(hidden, spec)] * c.size("num_layers"))


def dbrx(c: Fields) -> Decoder:
    """DBRX keeps its sizes in `attn_config` and `ffn_config`; fused query, key and value."""
    hidden, heads = c.size("hidden_size"), c.size("num_heads")
    inner, feed_forward = c.part("attn_config", "dbrx"), c.part("ffn_config", "dbrx")
    if inner is None or feed_forward is None:
        raise c.fail("attn_config" if inner is None else "ffn_config", "missing")
    inner.ignore("hidden_size")
    feed_forward.ignore("hidden_size")
    spec = mixer(c, "full", heads, inner.size("num_kv_heads", 1), hidden // heads)
    layer = norms(("attn_norm", "ffn_norm"), hidden, "layer_weight") + attention(hidden, spec, fused_qkv=True)
    layer += experts(hidden, read_experts(feed_forward, expert_size="intermediate_size"))
    return decoder(c, [layer] * c.size("num_layers"), norm_kind="layer_weight")


def laguna(c: Fields) -> Decoder:
    """Laguna: query heads by layer, a gate by head."""
    number, hidden, head_dim = c.size("num_layers"), c.size("hidden_size"), c.size("head_dim")
    heads = c.sizes("num_attention_heads_per_layer", number, least=1) or [c.size("num_heads")] * number
    c.ignore("num_heads", "gating")
    kinds, mlps = layer_kinds(c, "F"), layer_kinds(c, "D" + "M" * (number - 1), name="mlp_layer_types")
    sparse = Sparse(shared="size", correction="bias")
    rule = replace(BIASED, sparse=sparse)
    feed_forwards = {kind: rule.feed_forward(c, kind) for kind in dict.fromkeys(mlps)}
    gating = c.value("gating")
    gate = "heads" if gating in (None, True, "per-head") else "elements"

    def layer(kind: str, heads: int, mlp: str) -> Block:
        spec = mixer(c, kind, heads, c.size("num_kv_heads"), head_dim)
        bias = c.flag("attention_bias")
        block = attention(hidden, spec, qkv_bias=bias, out_bias=bias, qk_norm="head", gate=gate)
        return norms(("attn_norm", "ffn_norm"), hidden) + block + feed_forwards[mlp]

    triples = list(zip(kinds, heads, mlps, strict=True))
    blocks = {triple: layer(*triple) for triple in dict.fromkeys(triples)}
    return decoder(c, [blocks[triple] for triple in triples])


SIZED_LIKE_DENSE = Sparse(size="intermediate_size")
CORRECTED = Sparse(shared="count", correction="buffer", layers=first_dense)
FIRST_DEEPSEEK = replace(BIASED, sparse=Sparse(shared="count", layers=first_dense))
QK_NORMED = replace(BIASED, qk_norm="head")
GLM4_MOE = Standard(qkv_bias="attention_bias", qk_norm="head", qk_norm_if="use_qk_norm", sparse=CORRECTED)
QWEN3_MOE = replace(
    QK_NORMED, windowed=qwen3_moe_window, sparse=Sparse(layers=every_sparse_step), ignored=("use_qk_norm",)
)

LING = Standard(
    fused_qkv=True,
    qkv_bias="use_qkv_bias",
    out_bias="use_bias",
    qk_norm="head",
    qk_norm_if="use_qk_norm",
    sparse=CORRECTED,
)
OLMOE = replace(BIASED, qk_norm="all", sparse=SIZED_LIKE_DENSE)
FAMILIES: dict[str, Family] = {
    "afmoe": replace(
        QK_NORMED,
        gate="elements",
        norms=SANDWICH_NORMS,
        windowed=afmoe_window,
        sparse=Sparse(shared="count", correction="bias", layers=first_dense),
    ),
    "aria_text": replace(BIASED, sparse=Sparse(size="intermediate_size", shared="count"), mlp_bias="mlp_bias"),
    "cohere2_moe": replace(
        COHERE,
        windowed=cohere_window,
        size=cohere_dense_size,
        sparse=Sparse(size="intermediate_size", shared="count", layers=first_dense),
        ignored=(*COHERE.ignored, "shared_expert_combination_strategy"),
    ),
    "dbrx": dbrx,
    "deepseek": FIRST_DEEPSEEK,
    "dots1": replace(QK_NORMED, windowed=upper_layers_windowed, sparse=CORRECTED),
    "ernie4_5_moe": Standard(
        qkv_bias="use_bias",
        out_bias="use_bias",
        mlp_bias="use_bias",
        head_bias="use_bias",
        sparse=Sparse(shared="count", correction="bias", layers=ernie_range),
    ),
    "exaone_moe": Standard(qk_norm="head", windowed=exaone_window, sparse=CORRECTED),
    "flex_olmo": replace(BIASED, qk_norm="all", norms=POST_NORMS, sparse=SIZED_LIKE_DENSE),
    "flint": replace(
        QK_NORMED, sinks=True, windowed=flint_layers, sparse=Sparse(shared="size", layers=every_sparse_step)
    ),
    "glm4_moe": GLM4_MOE,
    "glm4v_moe_text": GLM4_MOE,
    "gpt_oss": replace(
        BIASED, sinks=True, pattern="SF", sparse=Sparse(size="intermediate_size", bias=True, router_bias=True)
    ),
    "granitemoe": replace(BIASED, sparse=SIZED_LIKE_DENSE),
    "granitemoe_swa": replace(
        BIASED, sinks=True, pattern="FSSS", sparse=Sparse(size="intermediate_size", shared="size", shared_fused=True)
    ),
    "granitemoeshared": replace(BIASED, sparse=Sparse(size="intermediate_size", shared="size", shared_fused=True)),
    "hunyuan_v1_moe": hunyuan_moe,
    "hy_v3": replace(QK_NORMED, mlp_bias="mlp_bias", sparse=replace(CORRECTED, layers=one_dense)),
    "kolibri1": Standard(
        qk_norm="head",
        norms=SANDWICH_NORMS,
        pattern="SSSSF",
        sparse=Sparse(shared="size", correction="buffer"),
    ),
    "laguna": laguna,
    "mellum": replace(QK_NORMED, sparse=Sparse()),
    "bailing_moe": Standard(
        qkv_bias="use_qkv_bias",
        out_bias="use_bias",
        sparse=Sparse(shared="count", layers=first_dense),
        ignored=("norm_head", "norm_softmax"),  # the head's rows are scaled as they are loaded
    ),
    "bailing_moe_v2": LING,
    "minimax_m2": Standard(
        qk_norm="all",
        sparse=Sparse(size="intermediate_size", correction="buffer", shared="size"),
        ignored=(
            "use_qk_norm",
            "qk_norm_type",
            "attn_type_list",
            "use_routing_bias",
            "use_mtp",
            "mtp_transformer_layers",
        ),
    ),
    "mixtral": Standard(windowed=every_layer_windowed, sparse=SIZED_LIKE_DENSE),
    "olmoe": OLMOE,
    "phimoe": replace(
        BIASED,
        norm_kind="layer",
        head_bias="lm_head_bias",
        windowed=every_layer_windowed,
        sparse=SIZED_LIKE_DENSE,
    ),
    "qwen2_moe": Standard(
        qkv_bias="qkv_bias",
        windowed=upper_layers_windowed,
        sparse=Sparse(shared="size", shared_gate=True, layers=every_sparse_step),
    ),
    "qwen3_moe": QWEN3_MOE,
    "qwen3_omni_moe_text": QWEN3_MOE,
    "qwen3_vl_moe_text": QWEN3_MOE,
    "sarvam_moe": GLM4_MOE,
    "deepseek_ocr2_text": replace(LLAMA, sparse=Sparse(shared="count", layers=stated_layers)),
    "unlimited_ocr_text": replace(LLAMA, sparse=Sparse(shared="count", layers=one_dense)),
    "solar_open": Standard(qkv_bias="attention_bias", sparse=replace(CORRECTED, layers=first_dense)),
}
