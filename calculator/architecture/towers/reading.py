"""Encoders of models that read documents: SAM's (arXiv:2304.02643), with or without CLIP's behind it, and PaddleOCR's.

Sources: transformers 5.24.0, `models/deepseek_ocr2`, `models/got_ocr2`, `models/paddleocr_vl`, `models/unlimited_ocr`
(`modeling_*.py`).
"""

from __future__ import annotations

from calculator.architecture.fields import Fields
from calculator.architecture.tensors import linear, norm, vector
from calculator.architecture.towers.clip import siglip, sizes
from calculator.architecture.towers.tower import Tower, Towers, Weights, block, part_of, patches, vision_of

SAM_BASE: dict[str, object] = {
    "hidden_size": 768,
    "mlp_dim": 3072,
    "num_layers": 12,
    "num_heads": 12,
    "output_channels": 256,
    "image_size": 1024,
    "patch_size": 16,
    "window_size": 14,
    "global_attn_indexes": [2, 5, 8, 11],
}


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


def shrink(first: int, second: int, third: int) -> Weights:
    """Two strided convolutions."""
    return vector("mm.downsample.1", second, first, 3, 3) + vector("mm.downsample.2", third, second, 3, 3)


def got_ocr2(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """Also of the file that brings its own code ("GOT"), whose tensors the library's
    `convert_got_ocr2_weights_to_hf.py` renames one by one."""
    c = vision_of(outer, "got_ocr2_vision")
    tower, output = sam(c), c.size("output_channels")
    outer.ignore("image_seq_length", "image_token_len", "freeze_vision_tower", "use_im_start_end")
    beyond = shrink(output, 2 * output, hidden) + linear("mm.model.fc", hidden, hidden, True)
    return (Tower("vision", tower.outside + beyond, tower.layers),)


def unlimited_ocr(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """CLIP's encoder reads what SAM's made of the page, so it has no patches; what both made is joined."""
    vision = vision_of(outer, "unlimited_ocr_vision")
    s = part_of(vision, "sam_config", "unlimited_ocr_sam_vision")
    c = part_of(vision, "encoder_config", "unlimited_ocr_clip_vision")
    page, channels = sam(s), s.sizes("downsample_channels") or [512, 1024]
    width, inner, number, _channels = sizes(c)
    c.ignore("patch_size", "image_size")
    behind, layers = clip_behind_sam(width, inner, number)
    beyond = shrink(s.size("output_channels"), channels[0], channels[-1])
    beyond += vector("mm.view_separator", hidden) + vector("v.image_newline", hidden)
    beyond += linear("mm.model.fc", hidden, channels[-1] + width, True)
    return (Tower("vision", page.outside + behind + beyond, [*page.layers, *layers]),)


def clip_behind_sam(width: int, inner: int, number: int) -> tuple[Weights, list[Weights]]:
    """CLIP's encoder without patches and last norm: what stands outside its layers, and these. There are places for
    16 x 16 patches."""
    outside = vector("v.clip.class_embd", width) + vector("v.clip.position_embd", 16 * 16 + 1, width)
    return outside + norm("v.clip.pre_ln", width, "layer"), [block(width, inner)] * number


def deepseek_ocr2(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """Qwen 2's layers read what SAM's made of the page, and learned queries behind it."""
    vision = vision_of(outer, "deepseek_ocr2_vision")
    s = part_of(vision, "sam_config", "deepseek_ocr2_sam_vision_model")
    c = part_of(vision, "encoder_config", "deepseek_ocr2_encoder")
    page, channels = sam(s), s.sizes("downsample_channels") or [512, 896]
    s.ignore("mlp_ratio", "scale")
    behind, layers = qwen_behind_sam(c)
    beyond = shrink(s.size("output_channels"), channels[0], channels[-1]) + vector("mm.view_separator", hidden)
    beyond += linear("mm.model.fc", hidden, c.size("hidden_size"), True)
    return (Tower("vision", page.outside + behind + beyond, [*page.layers, *layers]),)


QWEN_BEHIND_SAM: dict[str, int] = {
    "hidden_size": 896,
    "intermediate_size": 4864,
    "num_hidden_layers": 24,
    "num_attention_heads": 14,
    "num_key_value_heads": 2,
}
QUERIES = (144, 256)  # for a part of the page, and for all of it


def qwen_behind_sam(c: Fields) -> tuple[Weights, list[Weights]]:
    width, inner, number, heads = (
        c.size(name) for name in ("hidden_size", "intermediate_size", "num_layers", "num_heads")
    )
    kv_width = c.size("num_kv_heads", heads) * (width // heads)
    c.ignore(
        "vocab_size", "context", "layer_types", "max_window_layers", "sliding_window", "use_sliding_window", "tied"
    )
    layer = norm("v.ln1", width) + norm("v.ln2", width) + linear("v.attn_out", width, width)
    for name, size in (("q", width), ("k", kv_width), ("v", kv_width)):
        layer += linear(f"v.attn_{name}", size, width, True)
    layer += linear("v.ffn_gate", inner, width) + linear("v.ffn_up", inner, width) + linear("v.ffn_down", width, inner)
    outside = norm("v.post_ln", width)
    for number_of in QUERIES:
        outside += vector("v.query_embd", number_of, width)
    return outside, [layer] * number


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
    "deepseek_ocr2": deepseek_ocr2,
    "GOT": got_ocr2,
    "got_ocr2": got_ocr2,
    "paddleocr_vl": paddleocr_vl,
    "unlimited_ocr": unlimited_ocr,
}
