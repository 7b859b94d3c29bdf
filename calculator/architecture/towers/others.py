"""Encoders of families that share theirs with no one."""

from __future__ import annotations

from calculator.architecture.fields import Fields
from calculator.architecture.tensors import linear, norm, vector
from calculator.architecture.towers.clip import sizes
from calculator.architecture.towers.tower import Tower, Towers, block, patches, two_layers, vision_of


def kimi_k25(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """MoonViT: positions by row and column; the projector joins `merge_kernel_size` patches. Published files begin the
    encoder's keys with `vt_` (Kimi K2.5) and those of its positions with `init_`; transformers adds its own to them."""
    c = vision_of(outer, "kimi_k25_vision")
    prefix = "vt_" if c.has("vt_hidden_size") else ""
    start = "init_" if c.has("init_pos_emb_height") else ""
    width, inner = c.size(f"{prefix}hidden_size"), c.size(f"{prefix}intermediate_size")
    number, patch = c.size(f"{prefix}num_hidden_layers"), c.size("patch_size")
    merge = c.sizes("merge_kernel_size") or [2, 2]
    joined = outer.size("projection_hidden_size", c.size("mm_hidden_size", width)) * merge[0] * merge[-1]
    c.ignore(f"{prefix}num_attention_heads", f"{start}pos_emb_time", "text_hidden_size", "pos_emb_type")
    c.ignore("mm_projector_type", "merge_type", "video_attn_type", "num_channels")
    c.ignore("hidden_size", "intermediate_size", "num_layers", "num_heads", "pos_emb_height", "pos_emb_width")
    c.ignore("pos_emb_time")
    outer.ignore("vocab_size")
    rows, columns = c.size(f"{start}pos_emb_height", 64), c.size(f"{start}pos_emb_width", 64)
    outside = patches(width, 3, patch, patch, bias=True) + vector("v.position_embd", rows, columns, width)
    outside += norm("v.post_ln", width, "layer") + norm("mm.input_norm", width, "layer")
    return (Tower("vision", outside + two_layers(hidden, joined, joined), [block(width, inner)] * number),)


def kimi_k3(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """MoonViT without biases, its attention wider than its stream. The sum is that of the published checkpoint."""
    c = vision_of(outer, "kimi_k3_vision")
    width, inner, wide = c.size("vt_hidden_size"), c.size("vt_intermediate_size"), c.size("qkv_hidden_size")
    patch, merge = c.size("patch_size"), c.sizes("merge_kernel_size") or [2, 2]
    joined = c.size("mm_hidden_size") * merge[0] * merge[-1]
    c.ignore("vt_num_attention_heads", "text_hidden_size", "mlp_type", "norm_type", "merge_type", "mm_projector_type")
    c.ignore("attn_bias", "linear_bias", "patch_embed_proj_bias", "pos_emb_type", "init_pos_emb_time")
    layer = norm("v.ln1", width) + norm("v.ln2", width) + linear("v.attn_qkv", 3 * wide, width)
    layer += linear("v.attn_out", width, wide) + linear("v.ffn_up", inner, width) + linear("v.ffn_down", width, inner)
    outside = patches(width, 3, patch, patch) + norm("v.post_ln", width)
    outside += vector("v.position_embd", c.size("init_pos_emb_height"), c.size("init_pos_emb_width"), width)
    outside += two_layers(hidden, joined, joined, bias=False) + norm("mm.post_norm", hidden)
    return (Tower("vision", outside, [layer] * c.size("vt_num_hidden_layers")),)


def minimax_m3(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """A projector by patch, then one that merges neighbours."""
    c = vision_of(outer, "minimax_m3_vl_vision")
    width, inner, number, channels = sizes(c)
    patch, merge = c.size("patch_size"), c.size("spatial_merge_size", 2)
    middle = outer.size("projector_hidden_size", 6144)
    outer.ignore("merged_hidden_size", "multimodal_projector_bias")
    c.ignore("image_size", "projection_dim", "vocab_size", "position_embedding_type", "vision_segment_max_frames")
    outside = patches(width, channels, c.size("temporal_patch_size", 2), patch, patch)
    outside += norm("v.pre_ln", width, "layer") + two_layers(hidden, middle, width)
    outside += linear("mm.merge.1", middle, hidden * merge**2, True) + linear("mm.merge.2", hidden, middle, True)
    return (Tower("vision", outside, [block(width, inner)] * number),)


def muse_glimmer(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    c = vision_of(outer, f"{outer.model_type}_vision")
    width, inner, number, channels = sizes(c)
    patch, merge = c.size("patch_size"), c.size("merge_size", 2)
    pixels = channels * c.size("patch_temporal", 2) * patch * patch
    rows = c.size("pos_emb_height", 32) * c.size("pos_emb_width", 32)
    middle = outer.size("projector_hidden_size", 4096)
    outer.ignore("out_hidden_size")
    c.ignore("layer_types", "context", "window_size")
    outside = linear("v.patch_embd", width, pixels) + vector("v.position_embd", rows, width)
    outside += norm("v.pre_ln", width, "layer") + norm("v.post_ln", width, "layer")
    outside += two_layers(middle, middle, width * merge**2, bias=False) + linear("mm.model.fc", hidden, middle)
    return (Tower("vision", outside, [block(width, inner)] * number),)


def step3(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """Two strided convolutions shrink the picture before the projector. Without a vision part there is no tower."""
    if not outer.has("vision_config"):
        return ()
    c = vision_of(outer, "step3p5_vision")
    width = c.size("hidden_size", None) or c.size("width")
    number = c.size("num_layers", None) or c.size("layers")
    c.ignore("context", "width", "layers", "heads", "num_heads", "mlp_ratio", "image_size")
    patch, size = c.size("patch_size"), c.size("image_size")
    inner = int(width * c.number("mlp_ratio", 1)) if c.has("mlp_ratio") else c.size("intermediate_size")
    c.ignore("intermediate_size")
    first = int(c.flag("use_cls_token"))
    outer.ignore("understand_projector_stride")
    outside = patches(width, c.size("num_channels", 3), patch, patch) + vector("v.class_embd", width) * first
    outside += vector("v.position_embd", (size // patch) ** 2 + first, width) * c.flag("use_abs_posemb", True)
    outside += norm("v.pre_ln", width, "layer") * c.flag("use_ln_pre", True)
    outside += norm("v.post_ln", width, "layer") * c.flag("use_ln_post")
    for factor in (1, 2):
        outside += vector("mm.downsample", 2 * factor * width, factor * width, 3, 3)
        outside += vector("mm.downsample", 2 * factor * width, kind="bias")
    outside += linear("mm.model.fc", hidden, 4 * width, outer.flag("projector_bias"))
    return (Tower("vision", outside, [block(width, inner, scales=True)] * number),)


def internvl(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """InternVL as transformers has it, and Intern-S1 with the same encoder (vLLM 0.33.0, `models/interns1_vit.py`)."""
    c = vision_of(outer, f"{outer.model_type}_vision")
    width, inner, number, channels = sizes(c)
    size, patch = (
        (c.sizes(name, 2, least=1) if isinstance(c.value(name), list) else [c.size(name)] * 2) or [1, 1]
        for name in ("image_size", "patch_size")
    )
    bias, kind = c.flag("attention_bias"), "layer" if c.word("norm_type", "layer_norm") == "layer_norm" else "rms"
    c.ignore("use_absolute_position_embeddings", "use_mask_token", "use_mean_pooling", "norm_type")
    outside = vector("v.class_embd", width) + patches(width, channels, *patch, bias=True)
    outside += vector("v.position_embd", (size[0] // patch[0]) * (size[1] // patch[1]) + 1, width)
    joined = int(width / outer.number("downsample_ratio", 0.5) ** 2)
    outer.ignore("image_seq_length")
    outside += norm("mm.input_norm", joined, "layer") + two_layers(hidden, hidden, joined)
    layer = block(width, inner, norm_kind=kind, qkv_bias=bias, scales=True)
    if c.flag("use_qk_norm"):
        layer += norm("v.attn_q_norm", width) + norm("v.attn_k_norm", width)
    return (Tower("vision", outside, [layer] * number),)


TOWERS: dict[str, Towers] = {
    "interns1": internvl,
    "internvl": internvl,
    "glm5v": kimi_k25,
    "kimi_k25": kimi_k25,
    "kimi_k3": kimi_k3,
    "kimi_vl": kimi_k25,
    "minimax_m3_vl": minimax_m3,
    "muse_glimmer": muse_glimmer,
    "qianfan_ocr": internvl,
    "step3p7": step3,
    "step_robotics": step3,  # vLLM 0.33.0, `models/step_vl.py`
}
