"""Encoders whose neighbouring patches are merged on the way to the text: by convolution, in space and time, or twice.

Sources: transformers 5.24.0, `models/hunyuan_vl`, `models/hy_v4_vl`, `models/ernie4_5_vl_moe`,
`models/nemotron_h_omni`,
`models/granite4_vision`, `models/granite_docling`, `models/video_llama_3`, `models/deepseek_vl`,
`models/deepseek_vl_hybrid`,
`models/hyperclovax_vision_v2` (`modeling_*.py`).
"""

from __future__ import annotations

import re

from calculator.architecture.fields import MOST_LAYERS, Fields
from calculator.architecture.shown import short
from calculator.architecture.tensors import linear, norm, vector
from calculator.architecture.towers.clip import encoder, siglip, sizes
from calculator.architecture.towers.qwen import qwen2_5_vl
from calculator.architecture.towers.reading import sam, shrink
from calculator.architecture.towers.speech import qformer
from calculator.architecture.towers.tower import Tower, Towers, Weights, block, part_of, patches, two_layers, vision_of


def _convolution(role: str, output: int, input_: int, kernel: int = 1) -> Weights:
    return vector(role, output, input_, kernel, kernel) + vector(role, output, kind="bias")


def _hunyuan(outer: Fields) -> tuple[Fields, Weights, list[Weights]]:
    """Their encoder: a place for every patch of the largest image, and one more."""
    c = vision_of(outer, f"{outer.model_type}_vision")
    width, inner, number, channels = sizes(c)
    patch, side = c.size("patch_size"), c.size("max_image_size", 2048)
    c.ignore("num_kv_heads", "temporal_patch_size", "img_max_token_num", "min_image_size", "max_vit_seq_len")
    c.ignore(
        "text_hidden_size", "interpolate_mode", "anyres_vit_max_image_size", "anyres_vit_two_views", "cat_extra_token"
    )
    outside = patches(width, channels, patch, patch, bias=True)
    outside += vector("v.position_embd", (side // patch) ** 2 + 1, width) + norm("mm.pre_norm", width)
    return c, outside, [block(width, inner)] * number


def hunyuan_vl(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """Two convolutions, a linear map, and vectors for where an image and its rows begin and end."""
    c, outside, layers = _hunyuan(outer)
    width, merge, output = c.size("hidden_size"), c.size("spatial_merge_size", 2), c.size("out_hidden_size", hidden)
    outside += _convolution("mm.0", 2 * width, width, merge) + _convolution("mm.1", 4 * width, 2 * width)
    outside += linear("mm.2", output, 4 * width, True) + norm("mm.post_norm", output)
    outside += vector("v.image_newline", 4 * width) + vector("mm.image_marks", 3, output)
    return (Tower("vision", outside, layers),)


def hy_v4_vl(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    c, outside, layers = _hunyuan(outer)
    output = c.size("out_hidden_size", hidden)
    outside += _convolution("mm.0", output, c.size("hidden_size"), c.size("spatial_merge_size", 2))
    outside += _convolution("mm.1", output, output) + vector("v.image_newline", output)
    return (Tower("vision", outside, layers),)


def ernie4_5_vl(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """Neighbours in space are merged first, then those in time."""
    c = vision_of(outer, "ernie4_5_vl_moe_vision")
    width, patch = c.size("hidden_size"), c.size("patch_size")
    merge, frames = c.size("spatial_merge_size", 2), c.size("temporal_merge_size", 2)
    inner = c.size("intermediate_size", None) or int(width * c.number("mlp_ratio", 4))
    c.ignore("num_heads", "embed_dim", "spatial_patch_size", "temporal_patch_size", "image_size", "mlp_ratio")
    joined = width * merge**2
    outside = linear("v.patch_embd", width, c.size("in_channels", 3) * patch**2) + norm("v.post_ln", width, "layer")
    for role, times in (("mm.spatial", 1), ("mm.temporal", frames)):
        outside += linear(f"{role}.0", joined, times * joined, True) + linear(f"{role}.2", joined, joined, True)
        outside += norm(f"{role}.norm", joined, "layer")
    outside += linear("mm.model.fc", hidden, joined, True) + norm("mm.post_norm", hidden)
    return (Tower("vision", outside, [block(width, inner, fused_qkv=True)] * c.size("depth", 32)),)


def nemotron_h_omni(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """RADIO, with patches of its own for films. A sound encoder is optional, and not read here."""
    if outer.has("audio_config") or outer.has("sound_config"):
        raise outer.fail(
            "audio_config" if outer.has("audio_config") else "sound_config", "unsupported_value", value="…"
        )
    c = vision_of(outer, "radio")
    width, channels, patch = c.size("hidden_size"), c.size("num_channels", 3), c.size("patch_size")
    side, frames = c.size("max_img_size", 2048), c.size("video_temporal_patch_size", 2)
    inner = int(width * c.number("mlp_ratio", 4))
    extra = c.count("num_cls_tokens", 3) + c.count("num_registers", 7)
    c.ignore("image_size", "num_heads", "summary_idxs", "teachers", "layerscale_value", "norm_mean", "norm_std")
    c.ignore("patch_dim", "video_patch_dim")
    factor, middle = outer.number("downsample_ratio", 0.5), outer.size("projector_hidden_size")
    outer.ignore("vision_hidden_size", "video_temporal_patch_size")
    joined = int(width / factor**2)
    outside = vector("v.position_embd", (side // patch) ** 2, width) + vector("v.class_embd", extra, width)
    outside += linear("v.patch_embd", width, channels * patch**2)
    outside += linear("v.video_patch_embd", width, channels * frames * patch**2)
    outside += norm("mm.input_norm", joined) + two_layers(hidden, middle, joined, bias=False)
    layer = block(width, inner, qkv_bias=c.flag("qkv_bias", True), scales=True)
    return (Tower("vision", outside, [layer] * c.size("num_layers")),)


def zdtaichu(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """C-RADIO v4-H as it was first published, four neighbours joined and two maps behind them."""
    c = vision_of(outer, "radio")
    width, patch, side = outer.size("vit_hidden_size", 1280), c.size("patch_size"), c.size("max_img_size", 2048)
    extra, factor = c.count("num_cls_tokens", 3) + c.count("num_registers", 7), outer.number("downsample_ratio", 0.5)
    if patch > side:
        raise c.fail("patch_size", "out_of_range", value=patch, least=1, most=side)
    c.ignore("image_size", "num_heads", "max_resolution", "patch_dim", "qkv_bias", "use_swiglu_ffn", "hidden_size")
    outer.ignore("force_image_size", "max_dynamic_patch", "use_thumbnail")
    outside = vector("v.position_embd", (side // patch) ** 2, width) + vector("v.class_embd", extra, width)
    outside += linear("v.patch_embd", width, 3 * patch**2)
    joined = int(width / factor**2)
    outside += norm("mm.input_norm", joined)
    outside += two_layers(hidden, outer.size("projector_hidden_size"), joined, bias=False)
    return (Tower("vision", outside, [block(width, 4 * width, fused_qkv=True)] * c.size("num_layers")),)


def granite_docling(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """A coarse way into the text and, for dense pages, a fine one; mergers of earlier layers beside both."""
    c = vision_of(outer, "granite_docling_vision")
    width, output, factor = c.size("hidden_size"), c.size("out_hidden_size", hidden), c.size("scale_factor", 4)
    deep = c.sizes("deepstack_visual_indexes") or []
    outer.ignore("density_router_threshold", "density_router_loss_weight")
    tower = siglip(c)
    beyond = norm("mm.input_norm", width, "layer") + linear("mm.model.fc", output, output)
    beyond += norm("mm.mid_norm", output, "layer") + norm("mm.post_norm", output, "layer")
    for times in (factor, factor // 2) if c.flag("use_fine_route", True) else (factor,):
        joined = width * times**2
        beyond += linear("mm.0", output, joined)
        for _ in deep:
            beyond += norm("v.deepstack.norm", joined, "layer") + linear("v.deepstack.fc0", output, joined, True)
            beyond += linear("v.deepstack.fc2", output, output, True)
    return (Tower("vision", tower.outside + beyond, tower.layers),)


def granite4_vision(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """Several layers of the encoder are read, and one of them four times more, each through queries of its own over
    windows of patches (`Granite4VisionWindowQFormerDownsampler`)."""
    c = vision_of(outer, "siglip_vision_model" if not outer.has("vision_config") else "clip_vision_model")
    tower, width = encoder(c), c.size("hidden_size")
    pairs, rate = outer.value("deepstack_layer_map"), outer.word("downsample_rate")
    sides = [int(side) for side in rate.split("/")] if re.fullmatch(r"[1-9]\d?/[1-9]\d?", rate) else []
    if not sides:
        raise outer.fail("downsample_rate", "unsupported_value", value=rate[:40])
    if not isinstance(pairs, list):
        raise outer.fail("deepstack_layer_map", "not_a_list", value=short(pairs))
    spatial = 4 if outer.flag("use_spatial_sampling", True) else 0
    outer.ignore("spatial_target_layers", "spatial_vision_layer", "image_grid_pinpoints")
    outer.ignore("use_image_newline_parameter", "image_seq_length", "spatial_stride", "qformer_config")
    seen = outer.part("qformer_config", "blip_2_qformer") or Fields(
        {
            "num_hidden_layers": 1,
            "intermediate_size": 3072,
            "cross_attention_frequency": 1,
            "hidden_size": width,
            "num_attention_heads": max(width // 64, 1),
            "encoder_hidden_size": width,
        },
        "blip_2_qformer",
        nested=True,
        faults=outer.faults,
    )
    times = len(pairs) + spatial
    if (layers := times * seen.size("num_layers")) > MOST_LAYERS:
        raise outer.fail("deepstack_layer_map", "out_of_range", value=layers, least=1, most=MOST_LAYERS)
    one = norm("mm.input_norm", width, "layer") + vector("mm.query_embd", sides[0] ** 2, width)
    one += vector("mm.position_embd", sides[1] ** 2, width) + qformer(seen) + linear("mm.model.fc", hidden, width, True)
    beyond = vector("v.image_newline", hidden) + one * times
    return (Tower("vision", tower.outside + beyond, tower.layers),)


def video_llama_3(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    c = vision_of(outer, "video_llama_3_vision")
    width, inner, number, channels = sizes(c)
    patch = c.size("patch_size")
    c.ignore("image_size", "num_patches")
    outside = patches(width, channels, patch, patch, bias=True) + norm("v.post_ln", width, "layer")
    return (Tower("vision", outside + two_layers(hidden, hidden, width), [block(width, inner)] * number),)


def deepseek_vl(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    c = vision_of(outer, "siglip_vision_model")
    tower = encoder(c)
    beyond = two_layers(hidden, hidden, c.size("hidden_size"))
    return (Tower("vision", tower.outside + beyond, tower.layers),)


_NAMED = {
    "siglip_large_patch16_384": {
        "hidden_size": 1024,
        "intermediate_size": 4096,
        "num_hidden_layers": 24,
        "num_attention_heads": 16,
        "image_size": 384,
        "patch_size": 16,
    }
}


def multi_modality(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """DeepSeek-VL as it was first published: what the encoder is, its name says (mlx-vlm's `models/multi_modality`)."""
    vision, aligner = outer.part("vision_config", "vision"), outer.part("aligner_config", "aligner")
    for key in ("gen_vision_config", "gen_head_config", "gen_aligner_config"):
        if outer.has(key):  # Janus makes images, too
            raise outer.fail(key, "unsupported_value", value=short(outer.value(key)))
    params = vision.part("params", "vision_params") if vision is not None else None
    if vision is None or params is None:
        raise outer.fail("vision_config", "missing")
    for part in (vision, params, aligner):
        if part is not None:
            part.used.update(part.config)
            if (inner := part.part("params", "params")) is not None:
                inner.used.update(inner.config)
    name = params.word("model_name")
    if vision.word("cls", "CLIPVisionTower") != "CLIPVisionTower" or name not in _NAMED:
        raise params.fail("model_name", "unsupported_value", value=(name or vision.word("cls"))[:80])
    c = Fields(_NAMED[name], "siglip_vision_model", nested=True)
    tower = encoder(c)
    return (Tower("vision", tower.outside + two_layers(hidden, hidden, c.size("hidden_size")), tower.layers),)


def deepseek_vl_hybrid(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """SigLIP sees the image small, SAM sees it large; each fills half of what the text is given."""
    c, s = vision_of(outer, "siglip_vision_model"), part_of(outer, "high_res_vision_config", "sam_vision_model")
    small, large, output = encoder(c), sam(s), s.size("output_channels")
    width, half = s.size("hidden_size"), hidden // 2
    s.ignore("num_pos_feats", "scale", "mlp_ratio")
    neck = vector("v.neck.conv1", output, width, 1, 1) + norm("v.neck.norm1", output, "layer")
    neck += vector("v.neck.conv2", output, output, 3, 3) + norm("v.neck.norm2", output, "layer")
    beyond = neck + shrink(output, 2 * output, 4 * output) + vector("mm.alpha", 1)
    beyond += linear("mm.low", half, c.size("hidden_size"), True) + linear("mm.high", half, 4 * output, True)
    beyond += linear("mm.model.fc", hidden, hidden, True)
    return Tower("vision", small.outside + beyond, small.layers), large


def hyperclovax(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """Qwen2.5-VL's encoder, then one linear map."""
    c = vision_of(outer, "qwen2_5_vl_vision")
    (tower,) = qwen2_5_vl(outer, hidden)
    beyond = linear("mm.model.fc", hidden, c.size("out_hidden_size", hidden), True)
    return (Tower("vision", tower.outside + beyond, tower.layers),)


TOWERS: dict[str, Towers] = {
    "deepseek_vl": deepseek_vl,
    "deepseek_vl_hybrid": deepseek_vl_hybrid,
    "ernie4_5_vl_moe": ernie4_5_vl,
    "granite4_vision": granite4_vision,
    "granite_docling": granite_docling,
    "hunyuan_vl": hunyuan_vl,
    "hy_v4_vl": hy_v4_vl,
    "hyperclovax_vision_v2": hyperclovax,
    "multi_modality": multi_modality,
    "nemotron_h_omni": nemotron_h_omni,
    "video_llama_3": video_llama_3,
    "zdtaichu5_0": zdtaichu,
}
