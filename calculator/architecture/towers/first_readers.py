"""Encoders of the first models that read images: Kosmos-2.5's of Pix2Struct, and CLIP's with Idefics' resampler.

Source: transformers 5.24.0, `models/kosmos2_5` and `models/idefics` (`perceiver.py`).
"""

from __future__ import annotations

from calculator.architecture.fields import Fields
from calculator.architecture.tensors import linear, norm, vector
from calculator.architecture.towers.tower import Tower, Towers, Weights, block, part_of, patches, vision_of


def kosmos(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    c = vision_of(outer, "kosmos_2_5_vision_model")
    width, rows, inner = c.size("hidden_size"), c.size("max_num_patches"), c.size("intermediate_size")
    c.ignore("num_heads", "head_dim", "initializer_factor")
    layer = block(
        width, inner, norm_kind="rms", qkv_bias=False, out_bias=False, mlp_bias=False, gated=True, fused_qkv=False
    )
    outside = linear("v.patch_embd", width, c.size("patch_embed_hidden_size"), True) + norm("v.post_ln", width)
    outside += vector("v.row_embd", rows, width) + vector("v.column_embd", rows, width)
    outside += vector("mm.query_embd", outer.size("latent_query_num", 2048), hidden) + linear(
        "mm.0", hidden, width, True
    )
    for role in ("mm.attn_q", "mm.attn_k", "mm.attn_v", "mm.attn_out"):
        outside += linear(role, hidden, hidden, True)
    return (Tower("vision", outside, [layer] * c.size("num_layers")),)


def idefics(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    c = vision_of(outer, "idefics_vision")
    width, patch, side = c.size("embed_dim"), c.size("patch_size"), c.size("image_size")
    c.ignore("num_heads", "initializer_factor", "vision_model_name")
    outside = vector("v.class_embd", width) + patches(width, c.size("num_channels", 3), patch, patch)
    outside += vector("v.position_embd", (side // patch) ** 2 + 1, width)
    outside += norm("v.pre_ln", width, "layer") + norm("v.post_ln", width, "layer")
    layers = [block(width, c.size("intermediate_size"))] * c.size("num_layers")
    p = part_of(outer, "perceiver_config", "idefics_perciever")  # as transformers spells it
    if outer.flag("use_resampler", p.flag("use_resampler")):
        outside += _resampler(p, width)
    return (Tower("vision", outside, layers),)


def _resampler(p: Fields, width: int) -> Weights:
    heads, head_dim = p.size("resampler_n_heads", 16), p.size("resampler_head_dim", 96)
    joined = heads * head_dim
    layer = norm("mm.kv_norm", width, "layer") + norm("mm.q_norm", width, "layer") + norm("mm.ffn_norm", width, "layer")
    for role in ("mm.attn_q", "mm.attn_k", "mm.attn_v"):
        layer += linear(role, joined, width)
    layer += linear("mm.attn_out", width, joined)
    layer += linear("mm.ffn_up", 4 * width, width) + linear("mm.ffn_down", width, 4 * width)
    if p.flag("qk_layer_norms_perceiver"):
        layer += norm("mm.attn_q_norm", head_dim, "layer") + norm("mm.attn_k_norm", head_dim, "layer")
    latents = vector("mm.query_embd", p.size("resampler_n_latents", 64), width) + norm("mm.post_norm", width, "layer")
    return latents + layer * p.size("resampler_depth", 6)


TOWERS: dict[str, Towers] = {"idefics": idefics, "kosmos-2.5": kosmos}
