"""Encoders of models that read documents: SAM's (arXiv:2304.02643), with or without CLIP's behind it, and PaddleOCR's.

Sources: transformers 5.24.0, `models/got_ocr2`, `models/paddleocr_vl`, `models/unlimited_ocr` (`modeling_*.py`).
"""

from __future__ import annotations

from calculator.architecture.fields import Fields
from calculator.architecture.tensors import linear, norm, vector
from calculator.architecture.towers.clip import clip, siglip
from calculator.architecture.towers.tower import Tower, Towers, Weights, block, part_of, patches, vision_of


def sam(c: Fields) -> Tower:
    """Attention within windows, but for a few layers; each adds positions by row and column of what it sees."""
    width, inner, number = c.size("hidden_size"), c.size("mlp_dim"), c.size("num_layers")
    patch, side, window = c.size("patch_size"), c.size("image_size"), c.size("window_size")
    output, grid, head_dim = c.size("output_channels"), side // patch, width // c.size("num_heads")
    everywhere = set(c.sizes("global_attn_indexes") or ())
    absolute, relative = c.flag("use_abs_pos", True), c.flag("use_rel_pos", True)
    plain = block(width, inner, fused_qkv=True, qkv_bias=c.flag("qkv_bias", True))

    def layer(size: int) -> Weights:
        rows = 2 * size - 1
        return plain + (vector("v.attn_rel_h", rows, head_dim) + vector("v.attn_rel_w", rows, head_dim)) * relative

    kinds = {True: layer(grid), False: layer(window)}
    outside = patches(width, c.size("num_channels", 3), patch, patch, bias=True)
    outside += vector("v.position_embd", grid * grid, width) if absolute else ()
    outside += vector("v.neck.conv1", output, width, 1, 1) + norm("v.neck.norm1", output, "layer")
    outside += vector("v.neck.conv2", output, output, 3, 3) + norm("v.neck.norm2", output, "layer")
    return Tower("vision", outside, [kinds[index in everywhere] for index in range(number)])


def _shrink(first: int, second: int, third: int) -> Weights:
    """Two strided convolutions."""
    return vector("mm.downsample.1", second, first, 3, 3) + vector("mm.downsample.2", third, second, 3, 3)


def got_ocr2(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    c = vision_of(outer, "got_ocr2_vision")
    tower, output = sam(c), c.size("output_channels")
    outer.ignore("image_seq_length")
    beyond = _shrink(output, 2 * output, hidden) + linear("mm.model.fc", hidden, hidden, True)
    return (Tower("vision", tower.outside + beyond, tower.layers),)


def unlimited_ocr(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """CLIP's encoder reads what SAM's made of the page, so it has no patches; what both made is joined."""
    vision = vision_of(outer, "unlimited_ocr_vision")
    s = part_of(vision, "sam_config", "unlimited_ocr_sam_vision")
    c = part_of(vision, "encoder_config", "unlimited_ocr_clip_vision")
    first, second = sam(s), clip(c)
    channels = s.sizes("downsample_channels") or [512, 1024]
    width = c.size("hidden_size")
    without = ("v.patch_embd", "v.post_ln")
    behind = tuple(weight for weight in second.outside if weight.role not in without)
    beyond = _shrink(s.size("output_channels"), channels[0], channels[-1])
    beyond += vector("mm.view_separator", hidden) + vector("v.image_newline", hidden)
    beyond += linear("mm.model.fc", hidden, channels[-1] + width, True)
    return (Tower("vision", first.outside + behind + beyond, [*first.layers, *second.layers]),)


def paddleocr_vl(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    c = vision_of(outer, "paddleocr_vl_vision")
    c.model_type = "paddleocr_vl_vision"  # some files name the whole model's
    width, merge = c.size("hidden_size"), c.size("spatial_merge_size", 2)
    c.ignore("tokens_per_second", "temporal_patch_size")
    tower, joined = siglip(c), width * merge**2
    beyond = norm("mm.input_norm", width, "layer")
    beyond += linear("mm.1", joined, joined, True) + linear("mm.2", hidden, joined, True)
    return (Tower("vision", tower.outside + beyond, tower.layers),)


TOWERS: dict[str, Towers] = {
    "got_ocr2": got_ocr2,
    "paddleocr_vl": paddleocr_vl,
    "unlimited_ocr": unlimited_ocr,
}
