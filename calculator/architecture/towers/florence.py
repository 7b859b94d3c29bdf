"""Florence-2's encoder (DaViT, arXiv:2204.03645) and its way into the text.

Source: transformers 5.24.0, `models/florence2`; the publisher's own files spell two keys otherwise.
"""

from __future__ import annotations

from calculator.architecture.fields import MOST_LAYERS, Fields
from calculator.architecture.tensors import linear, norm, vector
from calculator.architecture.towers.tower import Tower, Towers, Weights, patches, vision_of

_WIDTHS = [128, 256, 512, 1024]


def florence(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    c = vision_of(outer, "florence_vision")
    widths = c.sizes("embed_dim", least=1) or c.sizes("dim_embed", least=1) or _WIDTHS
    number = len(widths)
    depths = c.sizes("depths", number, least=1) or [1, 1, 9, 1]
    kernels = c.sizes("patch_size", number, least=1) or [7, 3, 3, 3]
    if len(depths) != number or len(kernels) != number:
        raise c.fail("depths", "wrong_length", length=len(depths), expected=number)
    if sum(depths) > MOST_LAYERS:
        raise c.fail("depths", "out_of_range", value=sum(depths), least=number, most=MOST_LAYERS)
    first = c.value("patch_prenorm")
    before = first if isinstance(first, list) and len(first) == number else [False, True, True, True]
    ratio = c.number("mlp_ratio", 4)
    c.ignore(
        "num_heads", "num_groups", "patch_stride", "patch_padding", "window_size", "drop_path_rate", "enable_checkpoint"
    )
    c.ignore("image_feature_source", "visual_temporal_embedding", "embed_dim", "dim_embed")
    outer.ignore("projection_dim", "vocab_size", "is_encoder_decoder")
    outside: Weights = ()
    layers: list[Weights] = []
    entering = c.size("in_channels", 3)
    for width, depth, kernel, pre in zip(widths, depths, kernels, before, strict=True):
        outside += patches(width, entering, kernel, kernel, bias=True) + norm(
            "v.patch_norm", entering if pre else width, "layer"
        )
        layers += [_half(width, int(ratio * width)) * 2] * depth
        entering = width
    spots, frames = _spots(c), c.size("max_temporal_embeddings", 100)
    projected = c.size("projection_dim", hidden)
    outside += vector("mm.projection", entering, projected) + norm("mm.post_norm", projected, "layer")
    outside += vector("mm.row_embd", spots, entering // 2) + vector("mm.column_embd", spots, entering - entering // 2)
    outside += vector("v.temporal_embd", frames, entering, kind="buffer")
    return (Tower("vision", outside, layers),)


def _half(width: int, inner: int) -> Weights:
    """A block attends within windows, another over channels; both with convolutions by channel before their halves."""
    weights: Weights = ()
    for name in ("attn", "ffn"):
        weights += vector(f"v.{name}_conv", width, 1, 3, 3) + vector(f"v.{name}_conv", width, kind="bias")
        weights += norm(f"v.{name}_norm", width, "layer")
    weights += linear("v.attn_qkv", 3 * width, width, True) + linear("v.attn_out", width, width, True)
    return weights + linear("v.ffn_up", inner, width, True) + linear("v.ffn_down", width, inner, True)


def _spots(c: Fields) -> int:
    """Positions along one side of what is seen."""
    own = c.part("image_pos_embed", "florence_position")
    if own is None:
        return c.size("max_position_embeddings", 50)
    own.ignore("type")
    return own.size("max_pos_embeddings", 50)


TOWERS: dict[str, Towers] = {"florence2": florence}
