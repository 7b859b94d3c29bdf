"""Encoders of images that a decoder attends to: vision transformers (arXiv:2010.11929), DeiT (arXiv:2012.12877), Swin
(arXiv:2103.14030) and Donut's, BLIP's and Pix2Struct's.

Source: transformers 5.24.0, `models/vit`, `deit`, `swin`, `donut`, `blip`, `pix2struct`.
"""

from __future__ import annotations

from typing import NamedTuple

from calculator.architecture.fields import MOST_LAYERS, Fields
from calculator.architecture.tensors import Weight, linear, norm, vector
from calculator.architecture.towers.tower import block, patches

MOST_STAGES = 8  # published encoders have four, each twice as wide as the one before


class Seen(NamedTuple):
    """What an encoder stores, how wide a position of what it made is, and how many there are of one image."""

    weights: tuple[Weight, ...]
    width: int
    tokens: int


def image_encoder(c: Fields) -> Seen:
    if c.model_type in ("vit", "deit"):
        return _vit(c)
    if c.model_type in ("swin", "donut-swin"):
        return _swin(c)
    raise c.fail("model_type", "unknown_model_type", value=c.model_type[:80])


def sides(c: Fields, name: str) -> tuple[int, int]:
    """Height and width, where one number may stand for both."""
    both = c.sizes(name, least=1) if isinstance(c.value(name), (list, tuple)) else None
    if both is None:
        return c.size(name), c.size(name)
    if len(both) != 2:
        raise c.fail(name, "wrong_length", length=len(both), expected=2)
    return both[0], both[1]


def _vit(c: Fields) -> Seen:
    """With a pooler that nothing reads, and which checkpoints hold; DeiT has a place more for its teacher."""
    width, inner, number = c.size("hidden_size"), c.size("intermediate_size"), c.size("num_layers")
    (height, across), patch = sides(c, "image_size"), c.size("patch_size")
    c.ignore("num_heads", "encoder_stride", "pooler_output_size", "pooler_act")
    classes = 2 if c.model_type == "deit" else 1
    tokens = (height // patch) * (across // patch) + classes
    weights = patches(width, c.size("num_channels", 3), patch, patch, bias=True)
    weights += vector("v.class_embd", width) * classes + vector("v.position_embd", tokens, width)
    weights += block(width, inner, qkv_bias=c.flag("qkv_bias", True)) * number + norm("v.post_ln", width, "layer")
    pooled = c.size("pooler_output_size", width)
    return Seen(weights + linear("v.pooler", pooled, width, True), width, tokens)


def _swin(c: Fields) -> Seen:
    """Windows with a table of distances for each head; between stages four places become one of twice the width."""
    first, depths, heads = c.size("embed_dim"), c.sizes("depths", least=1) or [], c.sizes("num_heads", least=1) or []
    if not depths or len(depths) != len(heads):
        raise c.fail("depths", "wrong_length", length=len(depths), expected=len(heads))
    if len(depths) > MOST_STAGES:
        raise c.fail("depths", "out_of_range", value=len(depths), least=1, most=MOST_STAGES)
    if sum(depths) > MOST_LAYERS:
        raise c.fail("depths", "out_of_range", value=sum(depths), least=1, most=MOST_LAYERS)
    window, ratio, bias = c.size("window_size"), c.number("mlp_ratio", 4), c.flag("qkv_bias", True)
    (height, across), patch = sides(c, "image_size"), c.size("patch_size")
    c.ignore("hidden_size", "num_layers", "drop_path_rate", "path_norm", "encoder_stride", "out_features")
    c.ignore("out_indices", "stage_names", "use_absolute_embeddings")
    weights = patches(first, c.size("num_channels", 3), patch, patch, bias=True) + norm("v.patch_norm", first, "layer")
    if c.flag("use_absolute_embeddings"):
        weights += vector("v.position_embd", (height // patch) * (across // patch) + 1, first)
    width = first
    for stage, (depth, number) in enumerate(zip(depths, heads, strict=True)):
        table = vector("v.attn_rel_b", (2 * window - 1) ** 2, number)
        weights += (block(width, int(ratio * width), qkv_bias=bias) + table) * depth
        if stage < len(depths) - 1:
            weights += linear("v.merge", 2 * width, 4 * width) + norm("v.merge_norm", 4 * width, "layer")
            width *= 2
    weights += norm("v.post_ln", width, "layer") if c.model_type == "swin" else ()
    shrunk = patch * 2 ** (len(depths) - 1)
    return Seen(weights, width, max(height // shrunk, 1) * max(across // shrunk, 1))


def blip_vision(c: Fields) -> Seen:
    width, inner, number = c.size("hidden_size"), c.size("intermediate_size"), c.size("num_layers")
    patch, side = c.size("patch_size"), c.size("image_size")
    c.ignore("num_heads", "projection_dim")
    tokens = (side // patch) ** 2 + 1
    weights = patches(width, c.size("num_channels", 3), patch, patch, bias=True)
    weights += vector("v.class_embd", width) + vector("v.position_embd", tokens, width)
    weights += block(width, inner, fused_qkv=True) * number + norm("v.post_ln", width, "layer")
    return Seen(weights, width, tokens)


PATCHES_OF_AN_IMAGE = 2048
"""As transformers' `image_processing_pix2struct` cuts an image by default (`max_patches`); the file says rows alone."""


def pix2struct_vision(c: Fields) -> Seen:
    width, inner, number = c.size("hidden_size"), c.size("intermediate_size"), c.size("num_layers")
    rows, joined = c.size("seq_len", 4096), c.size("num_heads") * c.size("d_kv", 64)
    c.ignore("relative_attention_num_buckets", "relative_attention_max_distance", "image_size", "patch_size")
    weights = linear("v.patch_embd", width, c.size("patch_embed_hidden_size"), True)
    weights += vector("v.row_embd", rows, width) + vector("v.column_embd", rows, width)
    layer = linear("v.attn_q", joined, width) + linear("v.attn_k", joined, width) + linear("v.attn_v", joined, width)
    layer += linear("v.attn_out", width, joined) + norm("v.ln1", width) + norm("v.ln2", width)
    layer += linear("v.ffn_gate", inner, width) + linear("v.ffn_up", inner, width) + linear("v.ffn_down", width, inner)
    return Seen(weights + layer * number + norm("v.post_ln", width), width, PATCHES_OF_AN_IMAGE)
