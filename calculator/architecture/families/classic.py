"""Decoders from before rotary positions and gated feed-forwards were the rule, under their own spellings."""

from __future__ import annotations

from dataclasses import replace

from calculator.architecture.attention import attention, mixer
from calculator.architecture.decoder import Decoder, decoder
from calculator.architecture.families.standard import POST_NORMS, Family, Standard
from calculator.architecture.feed_forward import dense
from calculator.architecture.fields import Fields
from calculator.architecture.shown import short
from calculator.architecture.tensors import linear, norms

GPT2 = Standard(
    qkv_bias=True,
    out_bias=True,
    mlp_bias=True,
    fused_qkv=True,
    gated=False,
    norm_kind="layer",
    positions=0,
    widening=4,
)
OPT = replace(GPT2, fused_qkv=False, positions=2)


def falcon(c: Fields) -> Decoder:
    """Falcon: one key/value head with `multi_query`, `num_kv_heads` with the new decoder (Falcon 40B and later)."""
    hidden, heads = c.size("hidden_size"), c.size("num_heads")
    new = c.flag("new_decoder_architecture", c.config.get("model_type") == "RefinedWeb")
    bias = c.flag("bias")
    kv_heads = c.size("num_kv_heads", heads)
    if not new:
        kv_heads = 1 if c.flag("multi_query", True) else heads
    parallel = c.flag("parallel_attn", True)
    separate_norms = c.size("num_ln_in_parallel_attn", 2 if new else 1) == 2
    roles = ("attn_norm", "attn_norm_2") if parallel and separate_norms else ("attn_norm",)
    layer = norms(roles if parallel else ("attn_norm", "ffn_norm"), hidden, "layer")
    layer += attention(
        hidden, mixer(c, "full", heads, kv_heads, hidden // heads), qkv_bias=bias, out_bias=bias, fused_qkv=True
    )
    layer += dense(hidden, c.size("intermediate_size", 4 * hidden), gated=False, bias=bias)
    return decoder(c, [layer] * c.size("num_layers"), norm_kind="layer")


def gpt_bigcode(c: Fields) -> Decoder:
    """GPT-BigCode: one key/value head with `multi_query`."""
    hidden, heads = c.size("hidden_size"), c.size("num_heads")
    kv_heads = 1 if c.flag("multi_query", True) else heads
    c.ignore("num_kv_heads")
    layer = norms(("attn_norm", "ffn_norm"), hidden, "layer")
    layer += attention(
        hidden, mixer(c, "full", heads, kv_heads, hidden // heads), qkv_bias=True, out_bias=True, fused_qkv=True
    )
    layer += dense(hidden, c.size("intermediate_size", 4 * hidden), gated=False, bias=True)
    return decoder(c, [layer] * c.size("num_layers"), norm_kind="layer", positions=c.size("context"))


def gpt_neo(c: Fields) -> Decoder:
    """GPT-Neo: global and local layers in turn, listed or as `attention_types` [[[kinds], repeats]]."""
    hidden, heads, number = c.size("hidden_size"), c.size("num_heads"), c.size("num_layers")
    c.ignore("attention_types")
    words = c.words("layer_types", number) or _expand(c, number)
    kinds = [{"global": "full", "local": "sliding"}.get(word, word) for word in words]
    around = norms(("attn_norm", "ffn_norm"), hidden, "layer")
    feed_forward = dense(hidden, c.size("intermediate_size", 4 * hidden), gated=False, bias=True)
    layers = {
        kind: around + attention(hidden, mixer(c, kind, heads, heads, hidden // heads), out_bias=True) + feed_forward
        for kind in dict.fromkeys(kinds)
    }
    return decoder(c, [layers[kind] for kind in kinds], norm_kind="layer", positions=c.size("context"))


def _expand(c: Fields, number: int) -> list[str]:
    groups = c.value("attention_types")
    words: list[str] = []
    for group in groups if isinstance(groups, list) else ():
        if not (isinstance(group, list) and len(group) == 2 and isinstance(group[0], list)):
            raise c.fail("attention_types", "not_a_list", value=short(group))
        kinds, repeats = group
        words += [str(kind) for kind in kinds] * (min(repeats, number) if isinstance(repeats, int) else 0)
    if len(words) != number:
        raise c.fail("attention_types", "wrong_length", length=len(words), expected=number)
    return words


def mpt(c: Fields) -> Decoder:
    """MPT: norms without bias, a feed-forward of `expansion_ratio` times the hidden size (4 in transformers)."""
    hidden, heads = c.size("hidden_size"), c.size("num_heads")
    inner = c.part("attn_config")
    kv_heads = inner.size("num_kv_heads", heads) if inner else heads
    if inner:
        inner.ignore("attn_type", "alibi_bias_max")
    c.ignore("expansion_ratio", "no_bias", "norm_type", "learned_pos_emb", "embedding_fraction")
    layer = norms(("attn_norm", "ffn_norm"), hidden, "layer_weight")
    layer += attention(hidden, mixer(c, "full", heads, kv_heads, hidden // heads), fused_qkv=True)
    layer += dense(hidden, c.size("expansion_ratio", 4) * hidden, gated=False)
    return decoder(c, [layer] * c.size("num_layers"), norm_kind="layer_weight")


def opt(c: Fields) -> Decoder:
    """OPT: `word_embed_proj_dim` may be narrower than the hidden size (OPT 350M)."""
    hidden, heads = c.size("hidden_size"), c.size("num_heads")
    width, bias = c.size("word_embed_proj_dim", hidden), c.flag("enable_bias", True)
    kind = "layer" if c.flag("layer_norm_elementwise_affine", True) else "none"
    layer = norms(("attn_norm", "ffn_norm"), hidden, kind)
    layer += attention(hidden, mixer(c, "full", heads, heads, hidden // heads), qkv_bias=bias, out_bias=bias)
    layer += dense(hidden, c.size("intermediate_size"), gated=False, bias=bias)
    extra = () if width == hidden else linear("token_embd_in", hidden, width) + linear("token_embd_out", width, hidden)
    return decoder(
        c,
        [layer] * c.size("num_layers"),
        norm_kind=kind,
        final_norm=c.flag("do_layer_norm_before", True) and not c.flag("_remove_final_layer_norm"),
        positions=c.size("context") + 2,
        embedding_width=width,
        extra=extra,
    )


FAMILIES: dict[str, Family] = {
    "biogpt": OPT,
    "bloom": replace(GPT2, positions=None, embedding_norm="layer", ignored=("skip_bias_add", "skip_bias_add_qkv")),
    "codegen": replace(GPT2, qkv_bias=False, out_bias=False, positions=None, norms=("attn_norm",), head_bias=True),
    "git_text": replace(OPT, norms=POST_NORMS, final_norm=False, embedding_norm="layer", positions=0, head_bias=True),
    "falcon": falcon,
    "gpt2": GPT2,
    "gpt-sw3": GPT2,
    "gpt_bigcode": gpt_bigcode,
    "gpt_neo": gpt_neo,
    "gpt_neox": replace(GPT2, qkv_bias="attention_bias", out_bias="attention_bias", positions=None, widening=0),
    "gptj": replace(
        GPT2, fused_qkv=False, qkv_bias=False, out_bias=False, positions=None, norms=("attn_norm",), head_bias=True
    ),
    "mpt": mpt,
    "openai-gpt": replace(GPT2, final_norm=False),
    "opt": opt,
    "persimmon": replace(
        GPT2, positions=None, widening=0, qk_norm="head", qk_norm_if="qk_layernorm", qk_norm_kind="layer"
    ),
    "xglm": replace(OPT, positions=None),
}
