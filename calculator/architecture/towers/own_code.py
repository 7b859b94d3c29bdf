"""Encoders of published files that bring code of their own, as vLLM builds them.

Sources: vLLM 0.33.0, `models/intern_vit.py`, `internvl.py`, `phi3v.py`, `deepseek_vl2.py`, `deepseek_ocr.py`,
`deepencoder.py`, `minicpmv.py`, `layers/resampler.py` and `dots_ocr.py`.
"""

from __future__ import annotations

from calculator.architecture.fields import Fields
from calculator.architecture.heads import class_named
from calculator.architecture.tensors import linear, norm, vector
from calculator.architecture.towers.clip import clip, siglip, sizes
from calculator.architecture.towers.reading import (
    QWEN_BEHIND_SAM,
    SAM_BASE,
    clip_behind_sam,
    qwen_behind_sam,
    sam,
    shrink,
)
from calculator.architecture.towers.tower import Tower, Towers, Weights, block, part_of, patches, two_layers, vision_of

_SIGLIP_SO400M = {"hidden_size": 1152, "intermediate_size": 4304, "num_layers": 27, "image_size": 384, "patch_size": 14}
_CLIP_L = {"hidden_size": 1024, "intermediate_size": 4096, "num_layers": 24, "patch_size": 14}


def internvl_chat(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """InternViT, also in front of H2OVL's and Skywork R1V's language models (vLLM 0.33.0, `models/h2ovl.py` and
    `models/skyworkr1v.py`)."""
    c = vision_of(outer, "intern_vit_6b")
    width, inner, number, channels = sizes(c)
    patch, side = c.size("patch_size"), c.size("image_size")
    kind = "layer" if c.word("norm_type", "layer_norm") == "layer_norm" else "rms"
    layer = block(
        width,
        inner,
        norm_kind=kind,
        fused_qkv=True,
        qkv_bias=c.flag("qkv_bias"),
        qk_norm=width if c.flag("qk_normalization") else 0,
        scales=True,
    )
    joined = width * int(1 / outer.number("downsample_ratio", 0.5)) ** 2
    outer.ignore("select_layer", "force_image_size", "pad2square", "hidden_size", "vocab_size", "use_msac")
    outer.ignore("use_backbone_lora", "use_llm_lora", "max_dynamic_patch", "min_dynamic_patch", "dynamic_image_size")
    c.ignore(
        "shared_expert", "num_experts", "moe_intermediate_size", "use_moe", "num_shared_experts", "num_routed_experts"
    )
    outside = vector("v.class_embd", width) + patches(width, channels, patch, patch, bias=True)
    outside += vector("v.position_embd", (side // patch) ** 2 + 1, width) + norm("mm.input_norm", joined, "layer")
    outside += linear("mm.1", hidden, joined, True) + linear("mm.2", hidden, hidden, True)
    return (Tower("vision", outside, [layer] * number),)


def phi3_v(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """CLIP's largest at 336 pixels, four neighbouring patches joined; two separators."""
    processor = outer.part("img_processor", "phi3_v_processor")
    outer.part("embd_layer", "phi3_v_embedding")
    for part in outer.parts():
        part.used.update(part.config)
    stated = processor.size("image_dim_out", 1024) if processor else 1024
    width, inner, number = (_CLIP_L[key] for key in ("hidden_size", "intermediate_size", "num_layers"))
    if stated != width:
        raise outer.fail("img_processor", "unsupported_value", value=stated)
    outside = vector("v.class_embd", width) + patches(width, 3, 14, 14) + vector("v.position_embd", 24 * 24 + 1, width)
    outside += norm("v.pre_ln", width, "layer") + norm("v.post_ln", width, "layer")
    outside += vector("mm.glb_GN", 4 * width) + vector("mm.sub_GN", 4 * width)
    outside += linear("mm.1", hidden, 4 * width, True) + linear("mm.2", hidden, hidden, True)
    return (Tower("vision", outside, [block(width, inner)] * number),)


_READERS = ("DeepseekOCRForCausalLM", "UnlimitedOCRForCausalLM")
_SECOND_READER = "DeepseekOCR2ForCausalLM"


def deepseek_vl_v2(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """The class tells whether the file is DeepSeek-VL2 or DeepSeek-OCR, which share a model type. What the encoders'
    config says is not read by either: their sizes are fixed."""
    vision, projector = vision_of(outer, "vision"), outer.part("projector_config", "mlp_projector")
    if projector is None:
        raise outer.fail("projector_config", "missing")
    vision.used.update(vision.config)
    outer.ignore("candidate_resolutions", "tile_tag", "global_view_pos", "rswa_window")
    name = class_named(outer.config)
    if name not in (None, "DeepseekVLV2ForCausalLM", _SECOND_READER, *_READERS):
        raise outer.fail("architectures", "unsupported_value", value=(name or "")[:80])
    if name == _SECOND_READER or outer.model_type == "deepseekocr_2":
        output, beyond = _mlp_projector(projector, QWEN_BEHIND_SAM["hidden_size"])
        page = sam(Fields(SAM_BASE, "unlimited_ocr_sam_vision", nested=True))
        outside, layers = qwen_behind_sam(Fields(QWEN_BEHIND_SAM, "deepseek_ocr2_encoder", nested=True))
        outside = page.outside + outside + shrink(256, 512, QWEN_BEHIND_SAM["hidden_size"])
        beyond += vector("mm.view_separator", output)
        return (Tower("vision", outside + beyond, [*page.layers, *layers]),)
    reads = name in _READERS or outer.model_type == "DeepseekOCR"
    output, beyond = _mlp_projector(projector, 2048 if reads else _SIGLIP_SO400M["hidden_size"])
    beyond += vector("mm.view_separator", output) + vector("v.image_newline", output)
    if reads:
        page = sam(Fields(SAM_BASE, "unlimited_ocr_sam_vision", nested=True))
        behind, layers = clip_behind_sam(_CLIP_L["hidden_size"], _CLIP_L["intermediate_size"], _CLIP_L["num_layers"])
        outside = page.outside + behind + patches(_CLIP_L["hidden_size"], 3, 14, 14) + shrink(256, 512, 1024)
        return (Tower("vision", outside + beyond, [*page.layers, *layers]),)
    return _with(siglip(Fields(_SIGLIP_SO400M, "siglip_vision_model", nested=True)), beyond)


def _mlp_projector(c: Fields, input_: int) -> tuple[int, Weights]:
    """Its width, and the projector: one linear map, or several over joined neighbours (`MlpProjector`)."""
    output, kind = c.size("n_embed", 2048), c.word("projector_type", "downsample_mlp_gelu")
    depth, widening, joined = c.size("depth", 2), c.size("mlp_ratio", 1), c.size("downsample_ratio", 2)
    width = c.size("input_dim", input_)
    if kind == "linear":
        return output, linear("mm.model.fc", output, width, True)
    if kind != "downsample_mlp_gelu":
        raise c.fail("projector_type", "unsupported_value", value=kind[:40])
    weights = linear("mm.0", output * widening, width * joined**2, True)
    for _ in range(depth - 2):
        weights += linear("mm.between", output * widening, output * widening, True)
    return output, weights + linear("mm.2", output, output * widening, True)


def minicpmv(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """SigLIP without its pooling head; as many learned queries as an image has tokens attend to its patches."""
    c = vision_of(outer, "siglip")
    tower = siglip(Fields(c.config, "siglip", path=c.path, nested=True, faults=outer.faults))
    c.used.update(c.config)
    width, queries = c.size("hidden_size"), outer.size("query_num")
    outer.ignore("image_size", "patch_size", "slice_mode", "slice_config", "batch_vision_input", "use_image_id")
    outer.ignore("vision_batch_size", "batch_3d_resampler", "max_slice_nums", "version", "batch_3d_resampler")
    layers = tower.layers[:-1] if outer.flag("drop_vision_last_layer", True) else tower.layers
    weights = vector("mm.query_embd", queries, hidden) + vector("mm.proj", hidden, hidden)
    weights += linear("mm.kv_proj", hidden, width) if width != hidden else ()
    weights += linear("mm.attn_qkv", 3 * hidden, hidden, True) + linear("mm.attn_out", hidden, hidden, True)
    for role in ("mm.q_norm", "mm.kv_norm", "mm.post_norm"):
        weights += norm(role, hidden, "layer")
    return (Tower("vision", tower.outside + weights, layers),)


def dots_ocr(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """dots.ocr's encoder, and MonkeyOCRv2's, which is the same in other sizes (Yuliang-Liu/MonkeyOCRv2,
    `parsing/modeling/modeling_monkeyocrv2_vllm.py`)."""
    c = vision_of(outer, "dots_vit")
    width, inner, number = c.size("embed_dim"), c.size("intermediate_size"), c.size("num_layers")
    patch, merge, bias = c.size("patch_size"), c.size("spatial_merge_size"), c.flag("use_bias")
    c.ignore("num_heads", "temporal_patch_size", "is_causal")
    layer = block(
        width, inner, norm_kind="rms", qkv_bias=bias, out_bias=bias, mlp_bias=bias, gated=True, fused_qkv=True
    )
    joined = width * merge**2
    outside = patches(width, c.size("num_channels", 3), patch, patch, bias=True) + norm("v.norm_embd", width)
    outside += norm("v.post_ln", width) if c.flag("post_norm", True) else ()
    outside += norm("mm.input_norm", width, "layer") + linear("mm.0", joined, joined, True)
    return (Tower("vision", outside + linear("mm.2", c.size("hidden_size", hidden), joined, True), [layer] * number),)


def deepseek_v41(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """Gated layers with positions by angle; neighbours joined, and vectors for where an image and its rows begin and
    end (vLLM 0.33.0, `models/deepseek_v4/common/vision.py`)."""
    c = vision_of(outer, "deepseek_v41_vision")
    c.ignore("num_heads", "max_image_tokens")
    sizes = (c.size("hidden_size"), c.size("intermediate_size"), c.size("patch_size"), c.size("downsample_ratio", 3))
    return _deepseek(hidden, c.size("num_layers"), *sizes, marks=3)


def deepseek_v4(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """The same one version before, its sizes flat in the file; a fourth vector fills up. Most files have no encoder."""
    number = outer.count("vision_n_layers")
    if not number:
        return ()
    outer.ignore("vision_n_heads", "vision_max_n_token", "vision_max_wh_ratio", "vision_min_pixels")
    names = ("vision_dim", "vision_inter_dim", "vision_patch_size", "vision_downsample_ratio")
    return _deepseek(hidden, number, *(outer.size(name) for name in names), marks=4)


def _deepseek(
    hidden: int, number: int, width: int, inner: int, patch: int, ratio: int, *, marks: int
) -> tuple[Tower, ...]:
    layer = block(width, inner, norm_kind="rms", mlp_bias=False, gated=True, fused_qkv=True)
    outside = linear("v.patch_embd", width, 3 * patch**2, True) + norm("v.post_ln", width)
    outside += two_layers(hidden, hidden, width * ratio**2) + vector("mm.image_marks", marks, hidden)
    return (Tower("vision", outside, [layer] * number),)


def git(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """CLIP's encoder and one map behind it (transformers, `models/git`)."""
    c = vision_of(outer, "git_vision_model")
    tower, width = clip(c), c.size("hidden_size")
    frames = outer.count("num_image_with_embedding")
    beyond = linear("mm.model.fc", hidden, width, True) + norm("mm.post_norm", hidden, "layer")
    return _with(tower, beyond + (vector("mm.frame_embd", frames, width) if frames else ()))


def _with(tower: Tower, weights: Weights) -> tuple[Tower, ...]:
    return (Tower("vision", tower.outside + weights, tower.layers),)


def glm4v(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """GLM-4V-9B (vLLM 0.33.0, `models/glm4v.py`); of the same type are ChatGLM's files, which have no encoder."""
    if not outer.has("vision_config"):
        return ()
    c = vision_of(outer, "glm4v_9b_vision")
    width, inner, number = c.size("hidden_size"), c.size("intermediate_size"), c.size("num_layers")
    patch, size = c.size("patch_size"), outer.size("intermediate_size")
    c.ignore("image_size", "num_heads", "scaling_factor")
    outside = patches(width, c.size("in_channels", 3), patch, patch, bias=True) + vector("v.class_embd", width)
    outside += vector("v.position_embd", c.size("num_positions"), width)
    outside += vector("mm.downsample", hidden, width, 2, 2) + vector("mm.downsample", hidden, kind="bias")
    outside += linear("mm.0", hidden, hidden) + norm("mm.mid_norm", hidden, "layer") + linear("mm.gate", size, hidden)
    outside += linear("mm.up", size, hidden) + linear("mm.down", hidden, size) + vector("mm.image_marks", 2, hidden)
    return (Tower("vision", outside, [block(width, inner, fused_qkv=True)] * number),)


def qwen(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """Qwen-VL: 256 learned queries attend to the patches, which have 256 positions whatever the size of an image
    (`visual.py` beside its weights, as PaddlePaddle ports it); of the same type are the files of the first Qwen, which
    have no encoder. The whole of Qwen-VL-Chat-Int4 comes to its index's 9,731,786,240 bytes with the zero biases that
    its writer stored beside quantised layers."""
    c = outer.part("visual", "qwen_vl_vision")
    if c is None:
        return ()
    width, number, written = c.size("width"), c.size("layers"), c.size("output_dim")
    patch, count = c.size("patch_size"), c.size("n_queries", 256)
    c.ignore("heads", "image_size", "image_start_id")
    inner = int(width * c.number("mlp_ratio", 4.9231))
    outside = patches(width, 3, patch, patch) + vector("v.position_embd", 256, width) + norm("v.pre_ln", width, "layer")
    outside += 2 * vector("mm.query_embd", count, written) + linear("mm.kv", written, width)
    outside += linear("mm.attn_qkv", 3 * written, written, True) + linear("mm.attn_out", written, written, True)
    for role in ("mm.attn_q_norm", "mm.attn_kv_norm", "mm.post_norm"):
        outside += norm(role, written, "layer")
    outside += linear("mm.out", written, written)
    return (Tower("vision", outside, [block(width, inner, fused_qkv=True)] * number),)


def moondream(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """Moondream's encoder, and what it reads and writes places in an image by (vikhyat/moondream,
    `moondream/torch/vision.py` and `region.py`; of Moondream 3 vLLM 0.33.0, `models/moondream3.py`)."""
    model_type = outer.model_type
    inner = outer.part("config", model_type) or Fields({}, model_type, nested=True)
    c, r = part_of(inner, "vision", f"{model_type}_vision"), part_of(inner, "region", f"{model_type}_region")
    width, inner_size = c.size("enc_dim", 1152), c.size("enc_ff_dim", 4304)
    patch, side, middle = c.size("enc_patch_size", 14), c.size("crop_size", 378), c.size("proj_inner_dim", 8192)
    c.ignore("enc_n_heads", "proj_out_dim", "max_crops", "overlap_margin")
    outside = linear("v.patch_embd", width, patch**2 * c.size("in_channels", 3), True) + norm(
        "v.post_ln", width, "layer"
    )
    outside += vector("v.position_embd", (side // patch) ** 2, width) + two_layers(hidden, middle, 2 * width)
    third = model_type == "moondream3"
    wide = hidden if third else r.size("inner_dim", 8192)
    for name, axes, read, written in (("coord", 1, 256, 1024), ("size", 2, 512, 2048)):
        read, written = r.size(f"{name}_feat_dim", read), r.size(f"{name}_out_dim", written)
        outside += linear(f"region.{name}_in", hidden, read, True) + linear(f"region.{name}_down", written, wide, True)
        outside += () if third else linear(f"region.{name}_up", wide, hidden, True)
        outside += vector(f"region.{name}", axes, read // 2)
    outside += norm("region.norm", hidden, "layer") if third else ()
    r.ignore("dim", "group_size")
    layer = block(width, inner_size, fused_qkv=True)
    return (Tower("vision", outside, [layer] * c.size("enc_n_layers", 27)),)


def molmo(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """CLIP's encoder less its last layer; two of its layers are pooled by attention (vLLM 0.33.0, `models/molmo.py`,
    whose sizes are not in the file)."""
    width, size = 1024, outer.size("intermediate_size", least=2) // 2
    outside = vector("v.class_embd", width) + vector("v.position_embd", 577, width)
    outside += linear("v.patch_embd", width, 3 * 14**2) + norm("v.pre_ln", width, "layer")
    for name in ("q", "k", "v"):
        outside += linear(f"mm.pool_{name}", width, 2 * width, True)
    outside += linear("mm.pool_out", width, width, True) + vector("mm.pad_embd", 2, 2 * width)
    outside += linear("mm.gate", size, width) + linear("mm.up", size, width) + linear("mm.down", hidden, size)
    return (Tower("vision", outside, [block(width, 4 * width)] * 23),)


TOWERS: dict[str, Towers] = {
    "skywork_chat": internvl_chat,
    "chatglm": glm4v,
    "deepseek_v4": deepseek_v4,
    "qwen": qwen,
    "deepseek_v41": deepseek_v41,
    "DeepseekOCR": deepseek_vl_v2,
    "deepseek_vl_v2": deepseek_vl_v2,
    "deepseekocr_2": deepseek_vl_v2,
    "dots_ocr": dots_ocr,
    "monkeyocrv2": dots_ocr,
    "git": git,
    "h2ovl_chat": internvl_chat,
    "internvl_chat": internvl_chat,
    "minicpmv": minicpmv,
    "molmo": molmo,
    "moondream1": moondream,
    "moondream3": moondream,
    "phi3_v": phi3_v,
}
