"""The Qwen-VL encoders (arXiv:2409.12191, arXiv:2502.13923) and those built like them."""

from __future__ import annotations

from calculator.architecture.fields import Fields
from calculator.architecture.tensors import linear, norm, vector
from calculator.architecture.towers.tower import Tower, Towers, Weights, block, patches, vision_of


def _patches(c: Fields, hidden: int, bias: bool = False) -> Weights:
    patch, frames = c.size("patch_size"), c.size("temporal_patch_size", 2)
    return patches(hidden, c.size("in_channels", 3), frames, patch, patch, bias=bias)


def _merger(role: str, output: int, input_: int, merge: int) -> Weights:
    width = input_ * merge**2
    return linear(f"{role}0", width, width, True) + linear(f"{role}2", output, width, True)


def qwen2_vl(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """Here `hidden_size` is that of the text, `embed_dim` the encoder's own."""
    c = vision_of(outer, "qwen2_vl_vision")
    width, output, merge = c.size("embed_dim", 1280), c.size("hidden_size", hidden), c.size("spatial_merge_size", 2)
    c.ignore("num_heads", "spatial_patch_size")
    layer = block(width, int(c.number("mlp_ratio", 4) * width), fused_qkv=True)
    outside = _patches(c, width) + norm("v.post_ln", width, "layer") + _merger("mm.", output, width, merge)
    return (Tower("vision", outside, [layer] * c.size("depth", 32)),)


def qwen2_5_vl(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """Windowed attention, gated feed-forward; EXAONE 4.5 groups its heads."""
    c = vision_of(outer, "qwen2_5_vl_vision")
    width, heads = c.size("hidden_size"), c.size("num_heads")
    kv_width = c.size("num_kv_heads", heads) * (width // heads)
    c.ignore("window_size", "fullatt_block_indexes", "tokens_per_second", "embed_dim", "spatial_patch_size")
    layer = block(width, c.size("intermediate_size"), norm_kind="rms", gated=True, fused_qkv=True, kv_width=kv_width)
    outside = _patches(c, width) + norm("v.post_ln", width)
    outside += _merger("mm.", c.size("out_hidden_size", hidden), width, c.size("spatial_merge_size", 2))
    return (Tower("vision", outside, [layer] * c.size("depth", 32)),)


def zaya1_vl(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """Spelt as in Qwen2-VL's files."""
    c = vision_of(outer, "qwen2_5_vl_vision")
    if not c.has("patch_size") and c.has("spatial_patch_size"):
        c.config = {**c.config, "patch_size": c.config["spatial_patch_size"]}
    c.ignore("in_chans")
    return qwen2_5_vl(outer, hidden)


def exaone4_5(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    vision_of(outer, "exaone4_5_vision")
    outer.ignore("vocab_size")  # that of the text, once more
    return qwen2_5_vl(outer, hidden)


def qwen3_vl(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """Learned positions; `deepstack_visual_indexes` feed the text's first layers through mergers of their own."""
    c = vision_of(outer, f"{outer.model_type}_vision")
    width, merge, output = c.size("hidden_size"), c.size("spatial_merge_size", 2), c.size("out_hidden_size", hidden)
    deep = c.sizes("deepstack_visual_indexes") or []
    c.ignore("num_heads")
    layer = block(width, c.size("intermediate_size"), fused_qkv=True)
    outside = _patches(c, width, bias=True) + vector("v.position_embd", c.size("num_position_embeddings"), width)
    outside += norm("v.post_ln", width, "layer") + _merger("mm.", output, width, merge)
    for _ in deep:
        outside += norm("v.deepstack.norm", width * merge**2, "layer")
        outside += _merger("v.deepstack.fc", output, width, merge)
    return (Tower("vision", outside, [layer] * c.size("depth", 27)),)


TOWERS: dict[str, Towers] = {
    "cohere_compass": qwen3_vl,
    "exaone4_5": exaone4_5,
    "intern_s2_preview": qwen3_vl,  # vLLM 0.33.0, `models/interns2_preview.py`: without the encoder of time series
    "opencua": qwen2_5_vl,  # vLLM 0.33.0, `models/opencua.py`
    "qwen2_5_vl": qwen2_5_vl,
    "zaya1_vl": zaya1_vl,
    "qwen2_vl": qwen2_vl,
    "agnes": qwen3_vl,
    "prism_hadamard_qwen35": qwen3_vl,
    "qwen3_5": qwen3_vl,
    "qwen3_5_moe": qwen3_vl,
    "qwen3_vl": qwen3_vl,
    "qwen3_vl_moe": qwen3_vl,
    "qwen4_exp": qwen3_vl,
}
