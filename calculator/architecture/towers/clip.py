"""CLIP (arXiv:2103.00020), SigLIP (arXiv:2303.15343) and Pixtral encoders, with the projectors that go with them."""

from __future__ import annotations

from calculator.architecture.fields import Fields
from calculator.architecture.tensors import linear, norm, vector
from calculator.architecture.towers.tower import Tower, Towers, Weights, block, patches, two_layers, vision_of


def encoder(c: Fields) -> Tower:
    """The encoder that the vision config's own model type names."""
    builders = {
        "clip_vision_model": clip,
        "idefics3_vision": siglip,
        "pixtral": pixtral,
        "siglip2_vision_model": siglip2,
        "siglip_vision_model": siglip,
        "smolvlm_vision": siglip,
    }
    builder = builders.get(c.model_type)
    if builder is None:
        raise c.fail("model_type", "unknown_model_type", value=c.model_type[:80])
    return builder(c)


def sizes(c: Fields) -> tuple[int, int, int, int]:
    c.size("num_heads", 1)
    return c.size("hidden_size"), c.size("intermediate_size"), c.size("num_layers"), c.size("num_channels", 3)


def clip(c: Fields) -> Tower:
    hidden, inner, number, channels = sizes(c)
    size, patch = c.size("image_size"), c.size("patch_size")
    c.ignore("projection_dim", "vocab_size")
    outside = vector("v.class_embd", hidden) + patches(hidden, channels, patch, patch)
    outside += vector("v.position_embd", (size // patch) ** 2 + 1, hidden)
    outside += norm("v.pre_ln", hidden, "layer") + norm("v.post_ln", hidden, "layer")
    return Tower("vision", outside, [block(hidden, inner)] * number)


def siglip(c: Fields) -> Tower:
    hidden, inner, number, channels = sizes(c)
    size, patch = c.size("image_size"), c.size("patch_size")
    c.ignore("projection_dim", "vocab_size", "num_image_tokens", "max_image_size")
    outside = patches(hidden, channels, patch, patch, bias=True)
    outside += vector("v.position_embd", (size // patch) ** 2, hidden) + norm("v.post_ln", hidden, "layer")
    return Tower("vision", outside + _pooling_head(c, hidden, inner), [block(hidden, inner)] * number)


def siglip2(c: Fields) -> Tower:
    hidden, inner, number, channels = sizes(c)
    patch = c.size("patch_size")
    outside = linear("v.patch_embd", hidden, channels * patch * patch, True)
    outside += vector("v.position_embd", c.size("num_patches"), hidden) + norm("v.post_ln", hidden, "layer")
    return Tower("vision", outside + _pooling_head(c, hidden, inner), [block(hidden, inner)] * number)


def _pooling_head(c: Fields, hidden: int, inner: int) -> Weights:
    """SigLIP pools by attention, which a language model has no use for: most configs leave it out."""
    if c.model_type not in ("siglip_vision_model", "siglip2_vision_model") or not c.flag("vision_use_head", True):
        return ()
    weights = vector("v.head.probe", 1, 1, hidden) + vector("v.head.attn_qkv", 3 * hidden, hidden)
    weights += vector("v.head.attn_qkv", 3 * hidden, kind="bias")
    weights += linear("v.head.attn_out", hidden, hidden, True) + norm("v.head.ln", hidden, "layer")
    return weights + linear("v.head.ffn_up", inner, hidden, True) + linear("v.head.ffn_down", hidden, inner, True)


def pixtral(c: Fields) -> Tower:
    hidden, inner, number, channels = sizes(c)
    patch = c.size("patch_size")
    c.ignore("image_size", "head_dim", "vocab_size")
    layer = block(hidden, inner, norm_kind="rms", qkv_bias=False, out_bias=False, mlp_bias=False, gated=True)
    outside = patches(hidden, channels, patch, patch) + norm("v.pre_ln", hidden)
    return Tower("vision", outside, [layer] * number)


def _with(tower: Tower, weights: Weights) -> tuple[Tower, ...]:
    return (Tower("vision", tower.outside + weights, tower.layers),)


def llava(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    c = vision_of(outer, "clip_vision_model")
    outer.ignore("image_seq_length", "projector_hidden_act")
    bias = outer.flag("multimodal_projector_bias", True)
    return _with(encoder(c), two_layers(hidden, hidden, c.size("hidden_size"), bias))


def llava_next(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    outer.ignore("image_grid_pinpoints", "use_image_newline_parameter")
    (tower,) = llava(outer, hidden)
    return _with(tower, vector("v.image_newline", hidden))


def mistral3(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    c = vision_of(outer, "pixtral")
    width, merge = c.size("hidden_size"), outer.size("spatial_merge_size", 2)
    projector = norm("mm.input_norm", width) + linear("mm.patch_merger", width, merge * merge * width)
    projector += two_layers(hidden, hidden, width, outer.flag("multimodal_projector_bias"))
    return _with(encoder(c), projector)


def gemma3(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    c = vision_of(outer, "siglip_vision_model")
    outer.ignore("mm_tokens_per_image")
    width = c.size("hidden_size")
    return _with(encoder(c), vector("mm.input_projection", width, hidden) + norm("mm.soft_emb_norm", width))


def paligemma(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    c = vision_of(outer, "siglip_vision_model")
    outer.ignore("hidden_size", "projection_dim", "vocab_size")
    width = c.size("projection_dim", hidden)
    return _with(encoder(c), linear("mm.input_projection", width, c.size("hidden_size"), True))


def cohere2_vision(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    c = vision_of(outer, "siglip_vision_model")
    inner, factor = outer.size("alignment_intermediate_size"), outer.size("downsample_factor", 2)
    projector = linear("mm.1", inner, c.size("hidden_size") * factor**2, True)
    return _with(encoder(c), projector + linear("mm.2", hidden, inner // 2, True))


def idefics3(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    c = vision_of(outer, "idefics3_vision")
    factor = outer.size("scale_factor", 2)
    return _with(encoder(c), linear("mm.model.fc", hidden, c.size("hidden_size") * factor**2))


def lfm2_vl(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    c = vision_of(outer, "siglip2_vision_model")
    factor, inner = outer.size("downsample_factor", 2), outer.size("projector_hidden_size")
    outer.ignore("do_image_splitting", "encoder_patch_size", "max_num_patches", "tile_size")
    width, bias = c.size("hidden_size") * factor**2, outer.flag("projector_bias", True)
    projector = norm("mm.input_norm", width, "layer") if outer.flag("projector_use_layernorm", True) else ()
    return _with(encoder(c), projector + two_layers(hidden, inner, width, bias))


def aya_vision(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    c = vision_of(outer, "siglip_vision_model")
    factor = outer.size("downsample_factor", 2)
    width, inner = c.size("hidden_size") * factor**2, outer.size("alignment_intermediate_size", hidden)
    projector = norm("mm.input_norm", width, "layer") + linear("mm.1", inner, width, True)
    return _with(encoder(c), projector + linear("mm.2", hidden, inner // 2, True))


def vipllava(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """Several of the encoder's layers are read side by side."""
    c = vision_of(outer, "clip_vision_model")
    read = outer.value("vision_feature_layer")
    width = c.size("hidden_size") * (len(read) if isinstance(read, list) else 5 if read is None else 1)
    outer.ignore("image_seq_length")
    return _with(encoder(c), norm("mm.input_norm", width, "layer") + two_layers(hidden, hidden, width))


def video_llava(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """One encoder for pictures and another like it for films."""
    outer.ignore("video_seq_length")
    (tower,) = llava(outer, hidden)
    return (tower, encoder(vision_of(outer, "clip_vision_model")))


def llava_next_video(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    outer.ignore("video_seq_length", "spatial_pool_mode", "spatial_pool_stride")
    return llava_next(outer, hidden)


def fuyu(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """Patches go straight to the text (transformers 5.24.0, `models/fuyu`)."""
    pixels = outer.size("patch_size") ** 2 * outer.size("num_channels")
    outer.ignore("image_size")
    return (Tower("vision", linear("v.patch_embd", hidden, pixels, True)),)


TOWERS: dict[str, Towers] = {
    "fuyu": fuyu,
    "aya_vision": aya_vision,
    "cohere2_vision": cohere2_vision,
    "gemma3": gemma3,
    "idefics3": idefics3,
    "lfm2_vl": lfm2_vl,
    "lighton_ocr": mistral3,
    "llava_next": llava_next,
    "llava_next_video": llava_next_video,
    "llava_onevision": llava_next,
    "mistral3": mistral3,
    "mistral_large4": mistral3,
    "paligemma": paligemma,
    "smolvlm": idefics3,
    "video_llava": video_llava,
    "vipllava": vipllava,
}
