"""More encoders of published files that bring code of their own.

Sources: vLLM 0.33.0, `models/eagle2_5_vl.py`, `nvlm_d.py`, `bee.py`, `ovis2_5.py`, `siglip2navit.py`, `step3_vl.py`,
`llava_onevision2.py`, `bailing_moe_v3_vl.py`, `kanana_v.py`; of LocateAnything the names in its checkpoint, which
mlx-vlm and SGLang restate. The counts are those of the checkpoints.
"""

from __future__ import annotations

from calculator.architecture.fields import Fields
from calculator.architecture.tensors import linear, norm, vector
from calculator.architecture.towers.clip import encoder, llava_next, sizes
from calculator.architecture.towers.tower import Tower, Towers, Weights, block, patches, two_layers, vision_of

CROPS = (
    "dynamic_image_size",
    "force_image_size",
    "max_dynamic_patch",
    "min_dynamic_patch",
    "pad2square",
    "select_layer",
    "use_pixel_shuffle",
)
DUMMY_HEADS = 7  # of InternViT-6B in NVLM, so that its heads divide by a power of two
VISUAL_MARKS = 4


def _with(tower: Tower, weights: Weights) -> tuple[Tower, ...]:
    return (Tower("vision", tower.outside + weights, tower.layers),)


def eagle(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """Eagle 2 and 2.5: SigLIP with its pooling head, InternVL's projector."""
    c = vision_of(outer, "siglip_vision_model")
    times = int(1 / outer.number("downsample_ratio", 0.5)) ** 2
    outer.ignore(*CROPS, "mlp_connector_layers", "hidden_size", "vocab_size", "use_backbone_lora", "use_llm_lora")
    joined = c.size("hidden_size") * times
    return _with(encoder(c), norm("mm.input_norm", joined, "layer") + two_layers(hidden, hidden, joined))


def moonvit(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """LocateAnything: MoonViT before Eagle's projector."""
    c = vision_of(outer, "moonvit")
    width, inner, number, channels = sizes(c)
    patch, merge = c.size("patch_size"), c.sizes("merge_kernel_size") or [2, 2]
    outer.ignore(*CROPS, "mlp_connector_layers", "hidden_size", "vocab_size", "downsample_ratio")
    joined = width * merge[0] * merge[-1]
    outside = patches(width, channels, patch, patch, bias=True) + norm("v.post_ln", width, "layer")
    outside += vector("v.position_embd", c.size("init_pos_emb_height"), c.size("init_pos_emb_width"), width)
    outside += norm("mm.input_norm", joined, "layer") + two_layers(hidden, hidden, joined)
    return (Tower("vision", outside, [block(width, inner, fused_qkv=True)] * number),)


def nvlm(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """InternViT with heads that nothing reads; the projector is as wide as the language model's feed-forward."""
    c, text = vision_of(outer, "intern_vit_6b"), outer.part("text_config") or outer.part("llm_config")
    width, inner, number, channels = sizes(c)
    heads, patch, side = c.size("num_heads"), c.size("patch_size"), c.size("image_size")
    wide = (heads + c.count("num_dummy_heads", DUMMY_HEADS)) * (width // heads)
    bias, middle = c.flag("qkv_bias"), text.size("intermediate_size") if text is not None else hidden
    joined = width * int(1 / outer.number("downsample_ratio", 0.5)) ** 2
    outer.ignore(*CROPS, "hidden_size", "vocab_size", "use_backbone_lora", "use_llm_lora")
    layer = norm("v.ln1", width) + norm("v.ln2", width) + vector("v.ls1", width) + vector("v.ls2", width)
    layer += linear("v.attn_qkv", 3 * wide, width, bias) + linear("v.attn_out", width, wide, True)
    layer += norm("v.attn_q_norm", wide) + norm("v.attn_k_norm", wide) if c.flag("qk_normalization") else ()
    layer += linear("v.ffn_up", inner, width, True) + linear("v.ffn_down", width, inner, True)
    outside = vector("v.class_embd", width) + patches(width, channels, patch, patch, bias=True)
    outside += vector("v.position_embd", (side // patch) ** 2 + 1, width) + norm("mm.input_norm", joined, "layer")
    return (Tower("vision", outside + two_layers(hidden, middle, joined, bias=False), [layer] * number),)


def bee(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """SigLIP 2 and LLaVA's projector, four times as wide as the text and normed before."""
    c = vision_of(outer, "siglip_vision_model")
    width = c.size("hidden_size")
    outer.ignore("image_grid_pinpoints", "image_seq_length", "projector_hidden_act", "multimodal_projector_bias")
    beyond = norm("mm.input_norm", width, "layer") + two_layers(hidden, 4 * hidden, width)
    return _with(encoder(c), beyond + vector("v.image_newline", hidden))


def r_vl(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """R-4B: SigLIP and a norm before LLaVA's projector (vLLM 0.33.0, `models/rvl.py`)."""
    c = vision_of(outer, "siglip_vision_model")
    width = c.size("hidden_size")
    outer.ignore("image_grid_pinpoints", "image_seq_length", "projector_hidden_act", "multimodal_projector_bias")
    outer.ignore("vision_aspect_ratio", "use_image_newline_parameter")
    beyond = norm("mm.input_norm", width, "layer") + two_layers(hidden, hidden, width)
    return _with(encoder(c), beyond + vector("v.image_newline", hidden))


def ovis2_5(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """SigLIP 2 for images of any size; patches become shares of a visual vocabulary. Four of its words are marks."""
    c = outer.part("vit_config", "siglip2_navit")
    if c is None:
        raise outer.fail("vit_config", "missing")
    width, inner, number, channels = sizes(c)
    patch, stride, words = (
        c.size("patch_size"),
        c.size("hidden_stride"),
        outer.size("visual_vocab_size", least=VISUAL_MARKS + 1),
    )
    stated = c.value("num_patches")
    rows = (c.size("image_size") // patch) ** 2 if stated in (None, -1) else c.size("num_patches")
    for part in (outer, c):
        part.ignore("hidden_size", "multimodal_max_length", "conversation_formatter_class", "num_patches", "image_size")
    c.ignore("fullatt_block_indexes", "window_size", "temporal_patch_size", "use_rope")
    outside = patches(width, channels, patch, patch, bias=True) + norm("v.post_ln", width, "layer")
    outside += vector("v.position_embd", rows, width) if c.flag("preserve_original_pe", True) else ()
    outside += linear("v.head", words - VISUAL_MARKS, width * stride**2)
    outside += norm("v.head_norm", words - VISUAL_MARKS, "layer") + vector("mm.visual_embd", words, hidden)
    return (Tower("vision", outside, [block(width, inner, fused_qkv=True)] * number),)


def step3(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """Step 3: CLIP's layers, then two strided convolutions before the projector."""
    c = vision_of(outer, "step3_vision_encoder")
    width, inner, number, channels = sizes(c)
    patch, side, output = c.size("patch_size"), c.size("image_size"), c.size("output_hidden_size")
    outer.ignore("hidden_size", "understand_projector_stride")
    outside = vector("v.class_embd", width) + patches(width, channels, patch, patch, bias=True)
    outside += vector("v.position_embd", (side // patch) ** 2 + 1, width)
    for wide, narrow, kernel in ((output, width, 2), (2 * output, output, 3)):
        outside += vector("mm.downsample", wide, narrow, kernel, kernel) + vector("mm.downsample", wide, kind="bias")
    outside += linear("mm.model.fc", hidden, 2 * output, outer.flag("projector_bias", True))
    return (Tower("vision", outside, [block(width, inner, fused_qkv=True)] * number),)


def onevision(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """LLaVA-OneVision 2, and Mage-VL, which mlx-vlm reads so: places by rotation, a norm before all layers, none
    behind them but the merger's."""
    c = vision_of(outer, "llava_onevision2_vision")
    width, inner, number, channels = sizes(c)
    patch, merge = c.size("patch_size"), c.size("spatial_merge_size")
    c.ignore("image_size", "frame_windows_size", "temporal_patch_size", "out_hidden_size", "text_hidden_size")
    joined = width * merge**2
    outside = patches(width, channels, patch, patch) + norm("v.pre_ln", width, "layer")
    outside += norm("mm.input_norm", width, "layer") + two_layers(hidden, joined, joined)
    return (Tower("vision", outside, [block(width, inner, fused_qkv=True)] * number),)


def bailing(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """Ling 3: Qwen3-VL's encoder, whose merger only norms; the maps to the text stand apart."""
    c = vision_of(outer, "qwen3_moe_vit")
    width, merge = c.size("hidden_size"), c.size("spatial_merge_size")
    frames, patch = c.size("temporal_patch_size"), c.size("patch_size")
    c.ignore("num_heads", "out_hidden_size", "deepstack_visual_indexes")
    outer.ignore("mrope_section")
    outside = patches(width, c.size("in_channels"), frames, patch, patch, bias=True)
    outside += vector("v.position_embd", c.size("num_position_embeddings"), width)
    outside += norm("mm.input_norm", width, "layer") + two_layers(hidden, hidden, width * merge**2)
    layer = block(width, c.size("intermediate_size"), fused_qkv=True)
    return (Tower("vision", outside, [layer] * c.size("depth")),)


def minimax_vl(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """LLaVA-NeXT's, in the checkpoint without the norm behind CLIP's layers, as an earlier layer is read."""
    (tower,) = llava_next(outer, hidden)
    outer.ignore("process_image_mode", "image_split_resolution", "img_token_compression_config")
    return (Tower("vision", tuple(weight for weight in tower.outside if weight.role != "v.post_ln"), tower.layers),)


def stage(number: int, input_: int, output: int) -> Weights:
    """RegNet's bottlenecks as timm makes them: depth-wise, with a gate by channel (`RegStage`, arXiv:2003.13678)."""
    found: Weights = ()
    for width in [input_] + [output] * (number - 1):
        squeezed = round(width / 4)
        found += vector("mm.reg.conv1", output, width, 1, 1) + norm("mm.reg.norm1", output, "layer")
        found += vector("mm.reg.conv2", output, 1, 3, 3) + norm("mm.reg.norm2", output, "layer")
        found += linear("mm.reg.squeeze", squeezed, output, True) + linear("mm.reg.excite", output, squeezed, True)
        found += vector("mm.reg.conv3", output, output, 1, 1) + norm("mm.reg.norm3", output, "layer")
        if width != output:
            found += vector("mm.reg.conv_skip", output, width, 1, 1) + norm("mm.reg.norm_skip", output, "layer")
    return found


def _readout(depth: int, output: int, input_: int) -> Weights:
    found = linear("mm.0", output, input_, True)
    return found + linear("mm.2", output, output, True) * (depth - 1)


def hyperclovax_vlm(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """HyperCLOVA X SEED Vision, the first: SigLIP with its pooling head, and convolutions around a pooling of patches
    (C-Abstractor, arXiv:2312.06742; `hyperclovax_vision.py` of earlier releases of vLLM)."""
    c = vision_of(outer, "siglip_vision_model")
    way = outer.word("mm_projector_type", "cabstractor")
    if way != "cabstractor":
        raise outer.fail("mm_projector_type", "unsupported_value", value=way[:40])
    width, rows = c.size("hidden_size"), (c.size("image_size") // c.size("patch_size")) ** 2
    outer.ignore("hidden_size", "vocab_size", "max_num_grids", "max_image_cnt", "num_queries_vis_abstractor")
    outer.ignore("num_queries_vis_abstractor_image", "num_queries_vis_abstractor_video_fast", "possible_resolutions")
    outer.ignore("num_queries_vis_abstractor_video_slow", "first_last_frames_slow", "use_nth_layer", "anyres", "unpad")
    beyond = vector("v.image_newline", hidden) + stage(3, width, width) * 2 + _readout(2, hidden, width)
    beyond += vector("mm.position_embd", rows, width) if outer.flag("proj_pos_emb", True) else ()
    beyond += norm("mm.pre_norm", width, "layer") if outer.flag("proj_prenorm") else ()
    return _with(encoder(c), beyond)


def kanana(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """Kanana V: Qwen2-VL's encoder without its merger, and convolutions around the joining of patches."""
    c, p = vision_of(outer, "qwen2_vl_vision"), outer.part("projector_config", "kanana_v_projector")
    if p is None:
        raise outer.fail("projector_config", "missing")
    width, patch = c.size("embed_dim"), c.size("patch_size")
    entering, inner, output = (p.size(f"{name}hidden_size") for name in ("encoder_", "", "output_"))
    depth, merge = p.count("depth"), p.size("merge_size")
    c.ignore("num_heads", "hidden_size", "spatial_merge_size", "spatial_patch_size")
    p.ignore("feature_layer_index", "num_eos_tokens", "num_query_tokens", "num_input_tokens")
    outside = patches(width, c.size("in_channels", 3), c.size("temporal_patch_size", 2), patch, patch)
    outside += vector("mm.position_embd", p.size("pos_emb_size"), entering) if p.flag("pos_emb", True) else ()
    if depth:
        outside += stage(depth, entering, inner) + stage(depth, merge**2 * inner, inner)
    outside += _readout(p.size("mlp_depth"), output, inner if depth else entering)
    layer = block(width, int(c.number("mlp_ratio", 4) * width), fused_qkv=True)
    return (Tower("vision", outside, [layer] * c.size("depth")),)


TOWERS: dict[str, Towers] = {
    "hyperclovax_vlm": hyperclovax_vlm,
    "kanana-1.5-v": kanana,
    "minimax_vl_01": minimax_vl,
    "bailing_moe_v3_vl": bailing,
    "llava_onevision2": onevision,
    "mage_vl": onevision,
    "Bee": bee,
    "NVLM_D": nvlm,
    "R": r_vl,
    "eagle_2_5_vl": eagle,
    "locateanything": moonvit,
    **dict.fromkeys(("ovis2_5", "ovis2_6", "ovis2_6_moe", "ovis2_6_next"), ovis2_5),
    "step3_vl": step3,
}
