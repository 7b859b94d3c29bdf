"""The encoders of GLM-4.1V and its successors."""

from __future__ import annotations

from calculator.architecture.fields import Fields
from calculator.architecture.tensors import linear, norm, vector
from calculator.architecture.towers.tower import Tower, Towers, Weights, block, patches, vision_of


def _merger(output: int, inner: int) -> Weights:
    weights = linear("mm.model.fc", output, output) + norm("mm.post_norm", output, "layer")
    weights += linear("mm.gate", inner, output) + linear("mm.up", inner, output)
    return weights + linear("mm.down", output, inner)


def _outside(c: Fields, width: int, output: int) -> Weights:
    patch, merge = c.size("patch_size"), c.size("spatial_merge_size", 2)
    weights = patches(width, c.size("in_channels", 3), c.size("temporal_patch_size", 2), patch, patch, bias=True)
    weights += vector("mm.downsample", output, width, merge, merge) + vector("mm.downsample", output, kind="bias")
    return weights + norm("v.post_ln", width)


def glm4v(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """`intermediate_size` is the merger's; the layers' own feed-forward is as wide as the output."""
    c = vision_of(outer, f"{outer.model_type}_vision")
    width, output = c.size("hidden_size"), c.size("out_hidden_size", hidden)
    bias = c.flag("attention_bias")
    c.ignore("num_heads")
    layer = block(
        width, output, norm_kind="rms", qkv_bias=bias, out_bias=False, mlp_bias=False, gated=True, fused_qkv=True
    )
    outside = _outside(c, width, output) + _merger(output, c.size("intermediate_size"))
    outside += vector("v.position_embd", (c.size("image_size") // c.size("patch_size")) ** 2, width)
    return (Tower("vision", outside + norm("v.pre_ln", width), [layer] * c.size("depth")),)


def glm5_next(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """Rotary positions, normalised queries and keys."""
    c = vision_of(outer, "glm5_next_vision")
    width, output, heads = c.size("hidden_size"), c.size("out_hidden_size", hidden), c.size("num_heads")
    bias = c.flag("attention_bias", True)
    c.ignore("image_size")
    layer = block(
        width,
        c.size("intermediate_size"),
        norm_kind="rms",
        qkv_bias=bias,
        out_bias=bias,
        mlp_bias=bias,
        gated=True,
        fused_qkv=True,
        qk_norm=width // heads,
    )
    inner = c.size("projection_intermediate_size", 3 * output)
    return (Tower("vision", _outside(c, width, output) + _merger(output, inner), [layer] * c.size("depth")),)


TOWERS: dict[str, Towers] = {
    "glm46v": glm4v,
    "glmga": glm4v,
    "glm4v": glm4v,
    "glm4v_moe": glm4v,
    "glm5_next": glm5_next,
    "glm_ocr": glm5_next,
}
