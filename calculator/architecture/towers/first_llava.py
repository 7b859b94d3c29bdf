"""LLaVA as its authors publish it (arXiv:2304.08485, arXiv:2310.03744): the file names its encoder and describes only
the way from there into the text.

Sources: haotian-liu/LLaVA and LLaVA-VL/LLaVA-NeXT, `llava/model/multimodal_projector/builder.py`, `llava_arch.py` and
`multimodal_encoder/`; sizes of the encoders by their own files.
"""

from __future__ import annotations

import re

from calculator.architecture.fields import Fields
from calculator.architecture.tensors import linear, vector
from calculator.architecture.towers.clip import clip, llava, siglip
from calculator.architecture.towers.tower import Tower, Towers, vision_of

_CLIP_L = {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24, "patch_size": 14}
# Less its last layer (`siglip_encoder.py`: `del self.vision_tower.vision_model.encoder.layers[-1:]`).
_SIGLIP = {"hidden_size": 1152, "intermediate_size": 4304, "num_hidden_layers": 26, "patch_size": 14}
ENCODERS = {
    "openai/clip-vit-large-patch14": ("clip_vision_model", {**_CLIP_L, "image_size": 224}),
    "openai/clip-vit-large-patch14-336": ("clip_vision_model", {**_CLIP_L, "image_size": 336}),
    "google/siglip-so400m-patch14-384": (
        "siglip_vision_model",
        {**_SIGLIP, "image_size": 384, "vision_use_head": False},
    ),
}
COUNTED = {"mobileclip_l_1024": 125_109_216}
"""Encoders of which the number of parameters alone is known. FastViTHD (apple/ml-fastvlm) is what text and projector
leave of the published checkpoints of FastVLM, the same in all three."""
_UNREAD = (
    *("image_aspect_ratio", "image_crop_resolution", "image_grid_pinpoints", "image_split_resolution"),
    *("mm_hidden_size", "mm_patch_merge_type", "mm_projector_lr", "mm_projector_type", "mm_resampler_type"),
    *("mm_spatial_pool_mode", "mm_spatial_pool_stride", "mm_newline_position", "mm_tunable_parts", "use_mm_proj"),
    *("mm_use_im_patch_token", "mm_use_im_start_end", "mm_vision_select_feature", "mm_vision_select_layer"),
    *("mm_vision_tower", "mm_vision_tower_lr", "mm_use_thinking_token", "mm_patch_size", "pos_skipping_range"),
    *("freeze_mm_mlp_adapter", "freeze_mm_vision_resampler", "tune_mm_mlp_adapter", "tune_mm_vision_resampler"),
    *("unfreeze_mm_vision_tower", "add_faster_video", "add_time_instruction", "force_sample", "faster_token_stride"),
    *("vision_tower_pretrained", "num_frames", "max_num_frames", "tokenizer_padding_side"),
)


def bunny(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """nanoLLaVA and others of Bunny (BAAI-DCAI/Bunny), whose checkpoints hold all of SigLIP, its pooling head too."""
    outer.ignore("vision_config", "continuous_training", "use_s2")
    return first_llava(outer, hidden, whole=True)


def first_llava(outer: Fields, hidden: int, *, whole: bool = False) -> tuple[Tower, ...]:
    tower, own_width = _encoder(outer, whole)
    if outer.has("mm_resampler_type"):
        raise outer.fail("mm_resampler_type", "unsupported_value", value=outer.word("mm_resampler_type")[:40])
    width = outer.size("mm_hidden_size") if own_width is None else outer.size("mm_hidden_size", own_width)
    way = outer.word("mm_projector_type", "linear")
    depth = re.fullmatch(r"mlp([1-9])x_gelu", way)
    if way != "linear" and not depth:
        raise outer.fail("mm_projector_type", "unsupported_value", value=way[:40])
    beyond = linear("mm.0", hidden, width, True)
    for index in range(1, int(depth[1]) if depth else 1):
        beyond += linear(f"mm.{2 * index}", hidden, hidden, True)
    if "unpad" in outer.word("mm_patch_merge_type", "flat"):
        beyond += vector("v.image_newline", hidden)
    outer.ignore(*_UNREAD)
    return (Tower("vision", tower.outside + beyond, tower.layers),)


def _encoder(outer: Fields, whole: bool) -> tuple[Tower, int | None]:
    """The encoder that is named, and its width where that is known."""
    name = outer.word("mm_vision_tower")
    if name in COUNTED:
        return Tower("vision", vector("v.encoder", COUNTED[name]), []), None
    found = ENCODERS.get(name)
    if found is None:
        raise outer.fail("mm_vision_tower", "unsupported_value", value=name[:80])
    model_type, config = found
    if whole and model_type == "siglip_vision_model":
        config = {**config, "num_hidden_layers": 27, "vision_use_head": True}
    build = clip if model_type == "clip_vision_model" else siglip
    return build(Fields(config, model_type, nested=True, faults=outer.faults)), config["hidden_size"]


FASTVIT = 122_714_208
"""Of `fastvit_mci3` as timm makes it for inference, with its pooling head (transformers 5.24.0)."""


def fast_vlm(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    c = vision_of(outer, "fast_vlm_vision")
    name, width = c.word("architecture", "fastvit_mci3"), c.size("hidden_size", 3072)
    if name != "fastvit_mci3":
        raise c.fail("architecture", "unsupported_value", value=name[:40])
    c.ignore("num_classes", "do_pooling", "model_args", "image_size", "num_features")
    bias = outer.flag("multimodal_projector_bias", True)
    outer.ignore("image_seq_length", "vision_feature_layer", "vision_feature_select_strategy")
    outside = vector("v.encoder", FASTVIT) + linear("mm.1", hidden, width, bias) + linear("mm.2", hidden, hidden, bias)
    return (Tower("vision", outside, []),)


def either_llava(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """The authors' first files bear the name that transformers' bear, too."""
    return first_llava(outer, hidden) if outer.has("mm_vision_tower") else llava(outer, hidden)


TOWERS: dict[str, Towers] = {
    "fast_vlm": fast_vlm,
    "llava": either_llava,
    "llava-qwen2": bunny,
    "llava_llama": first_llava,
    "llava_mistral": first_llava,
    "llava_qwen": first_llava,
    "llava_qwen2": first_llava,
}
