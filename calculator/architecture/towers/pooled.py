"""Encoders whose patches are pooled by attention, or in their midst, before they reach the text.

Sources: transformers 5.24.0, `models/aria`, `models/idefics2`, `models/lfm3_vl`, `models/minicpmv4_6`, `models/molmo2`,
`models/ovis2` (`modeling_*.py`).
"""

from __future__ import annotations

from calculator.architecture.decoder import kind_of
from calculator.architecture.fields import Fields
from calculator.architecture.tensors import linear, norm, vector
from calculator.architecture.towers.clip import encoder, siglip, sizes
from calculator.architecture.towers.tower import Tower, Towers, Weights, block, part_of, patches, vision_of


def _with(tower: Tower, weights: Weights) -> tuple[Tower, ...]:
    return (Tower("vision", tower.outside + weights, tower.layers),)


def aria(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """Learned queries, as many as an image of the largest size has tokens, attend to the patches."""
    c = vision_of(outer, "idefics3_vision")
    width = c.size("hidden_size")
    outer.ignore("max_value_projector_patch_to_query_dict")
    counts = outer.value("projector_patch_to_query_dict")
    numbers = counts.values() if isinstance(counts, dict) else ()
    queries = max((number for number in numbers if type(number) is int and 0 < number < 2**20), default=256)
    text = outer.part("text_config")
    inner = text.size("hidden_size") if text is not None else hidden
    pooling = vector("mm.query_embd", queries, width)
    for name in ("q", "k", "v"):
        pooling += linear(f"mm.attn_{name}", width, width)
    pooling += linear("mm.attn_qkv", 3 * width, width, True) + linear("mm.attn_out", width, width, True)
    pooling += linear("mm.attn_proj", width, width, True)
    for role in ("mm.attn_q_norm", "mm.attn_kv_norm", "mm.post_norm"):
        pooling += norm(role, width, "layer")
    return _with(encoder(c), pooling + linear("mm.1", inner, width) + linear("mm.2", hidden, inner))


def idefics2(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """A gated projection as wide as the text's feed-forward, then a perceiver with a gated feed-forward of its own."""
    c, p = vision_of(outer, "idefics2_vision"), part_of(outer, "perceiver_config", "idefics2_perceiver")
    text = outer.part("text_config")
    inner = text.size("intermediate_size") if text is not None else hidden
    width, latents = p.size("hidden_size"), p.size("resampler_n_latents")
    queries = p.size("resampler_n_heads") * p.size("resampler_head_dim")
    keys = p.size("num_key_value_heads") * p.size("resampler_head_dim")
    projected = c.size("hidden_size")
    weights = linear("mm.gate", inner, projected) + linear("mm.up", inner, projected) + linear("mm.down", hidden, inner)
    weights += vector("mm.latents", latents, width) + norm("mm.post_norm", width)
    for _ in range(p.size("resampler_depth")):
        for role in ("mm.resampler.latents_norm", "mm.resampler.context_norm", "mm.resampler.ffn_norm"):
            weights += norm(role, width)
        weights += linear("mm.resampler.attn_q", queries, width) + linear("mm.resampler.attn_out", width, queries)
        weights += linear("mm.resampler.attn_k", keys, width) + linear("mm.resampler.attn_v", keys, width)
        for role in ("gate", "up"):
            weights += linear(f"mm.resampler.ffn_{role}", 4 * width, width)
        weights += linear("mm.resampler.ffn_down", width, 4 * width)
    return _with(siglip(c), weights)


def ovis2(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """AIMv2; patches become shares of a visual vocabulary, which has an embedding of its own."""
    c = vision_of(outer, "ovis2_vision")
    width, inner, number, channels = sizes(c)
    size, patch, words = c.size("image_size"), c.size("patch_size"), c.size("vocab_size")
    shown, stride = words - c.size("num_visual_indicator_tokens", 5), c.size("hidden_stride", 1)
    qkv_bias, mlp_bias = c.flag("qkv_bias"), c.flag("mlp_bias")
    outer.ignore("visual_indicator_token_ids", "vocab_size")
    layer = block(width, inner, norm_kind="rms", qkv_bias=qkv_bias, out_bias=qkv_bias, mlp_bias=mlp_bias, gated=True)
    outside = patches(width, channels, patch, patch, bias=True) + vector("v.position_embd", (size // patch) ** 2, width)
    outside += norm("v.pre_ln", width) + norm("v.post_ln", width)
    outside += linear("v.head", shown, width * stride**2) + norm("v.head_norm", shown, "layer")
    return (Tower("vision", outside + vector("mm.visual_embd", words, outer.size("hidden_size")), [layer] * number),)


def ovis(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """Ovis 1.6 and 2 as their authors publish them: as in transformers' class for the second, with AIMv2 or SigLIP; of
    the visual vocabulary five words are marks, which no patch becomes (`modeling_ovis.py`)."""
    t = outer.part("visual_tokenizer_config", "aimv2_visual_tokenizer")
    c = t.part("backbone_config", "aimv2") if t is not None else None
    if t is None or c is None:
        raise outer.fail("visual_tokenizer_config", "missing")
    for part in (outer, t):
        part.ignore("hidden_size", "multimodal_max_length", "conversation_formatter_class", "disable_tie_weight")
    t.ignore("depths", "drop_cls_token", "use_indicators", "tokenize_function", "backbone_kwargs")
    words, stride = t.size("vocab_size", least=VISUAL_MARKS + 1), t.size("hidden_stride", 1)
    tower = _aimv2(c) if c.model_type == "aimv2" else encoder(c)
    shown, width = words - VISUAL_MARKS, c.size("hidden_size")
    beyond = linear("v.head", shown, width * stride**2) + norm("v.head_norm", shown, "layer")
    return _with(tower, beyond + vector("mm.visual_embd", words, hidden))


VISUAL_MARKS = 5


def _aimv2(c: Fields) -> Tower:
    width, inner, number, channels = sizes(c)
    size, patch = c.size("image_size"), c.size("patch_size")
    qkv_bias, bias = c.flag("qkv_bias"), c.flag("use_bias")
    layer = block(width, inner, norm_kind="rms", qkv_bias=qkv_bias, out_bias=bias, mlp_bias=bias, gated=True)
    outside = patches(width, channels, patch, patch, bias=True) + vector("v.position_embd", (size // patch) ** 2, width)
    return Tower("vision", outside + norm("v.pre_ln", width) + norm("v.post_ln", width), [layer] * number)


def minicpmv(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """SigLIP; after a few of its layers windows of patches are merged into one, and before the text again."""
    c = vision_of(outer, f"{outer.model_type}_vision")
    width, inner = c.size("hidden_size"), c.size("intermediate_size")
    window, merge = (
        part.sizes(key) or [2, 2] for part, key in ((c, "window_kernel_size"), (outer, "merge_kernel_size"))
    )
    joined, together = width * window[0] * window[-1], width * merge[0] * merge[-1]
    c.ignore("insert_layer_id")
    outer.ignore("insert_layer_id", "image_size", "patch_size", "downsample_mode")
    if outer.flag("drop_vision_last_layer"):
        raise outer.fail("drop_vision_last_layer", "unsupported_value", value=True)
    weights: Weights = norm("v.merger.ln1", width, "layer") + norm("v.merger.pre_norm", joined, "layer")
    for name in ("q", "k", "v", "out"):
        weights += linear(f"v.merger.attn_{name}", width, width, True)
    wide = inner * window[0] * window[-1]
    weights += linear("v.merger.ffn_up", wide, joined, True) + linear("v.merger.ffn_down", width, wide, True)
    times = outer.size("merger_times", 1)
    for index in range(times):
        output = hidden if index == times - 1 else width
        weights += norm("mm.input_norm", together, "layer") + linear("mm.0", together, together, True)
        weights += linear("mm.2", output, together, True)
    return _with(siglip(c), weights)


def molmo2(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """Two layers of the encoder's are read side by side and pooled by attention."""
    c, a = vision_of(outer, "molmo2_vision"), part_of(outer, "adapter_config", "molmo2_adapter")
    width, inner, number, channels = sizes(c)
    heads, keys = (c.size(name) * c.size("head_dim") for name in ("num_heads", "num_kv_heads"))
    # Published files have other words for these three.
    patch, bias = c.size("image_patch_size", None) or c.size("patch_size"), c.flag("attention_bias", True)
    side = c.sizes("image_default_input_size") or c.sizes("image_size") or [378, 378]
    rows = c.size("image_num_pos", None) or c.size("num_position_embeddings", (side[0] // patch) * (side[-1] // patch))
    c.ignore("patch_size", "image_size", "num_position_embeddings")
    layer = norm("v.ln1", width, "layer") + norm("v.ln2", width, "layer")
    for name, size in (("q", heads), ("k", keys), ("v", keys)):
        layer += linear(f"v.attn_{name}", size, width, bias)
    layer += linear("v.attn_out", width, heads, True)
    layer += linear("v.ffn_up", inner, width, True) + linear("v.ffn_down", width, inner, True)
    outside = vector("v.position_embd", rows, width) + linear("v.patch_embd", width, channels * patch * patch, True)
    return (Tower("vision", outside + _molmo2_adapter(a, hidden), [layer] * number),)


def _molmo2_adapter(a: Fields, hidden: int) -> Weights:
    width, middle, bias = a.size("hidden_size"), a.size("intermediate_size"), a.flag("attention_bias", True)
    heads, keys = (a.size(name) * a.size("head_dim") for name in ("num_heads", "num_kv_heads"))
    read = (a.value("vit_layers"), a.value("vision_feature_layer"))
    joined = width * next((len(layers) for layers in read if isinstance(layers, list) and layers), 2)
    weights: Weights = ()
    for name, size in (("q", heads), ("k", keys), ("v", keys)):
        weights += linear(f"mm.attn_{name}", size, joined, bias)
    weights += linear("mm.attn_out", width, heads, True)
    for name in ("gate", "up"):
        weights += linear(f"mm.{name}", middle, width, a.flag("mlp_bias"))
    return weights + linear("mm.down", a.size("text_hidden_size", hidden), middle)


def lfm3_vl(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """Convolutions over neighbouring patches in turn with attention."""
    c = vision_of(outer, "lfm3_vl_vision")
    width, inner, heads = c.size("hidden_size"), c.size("intermediate_size"), c.size("num_heads")
    patch, frames, merge = c.size("patch_size"), c.size("temporal_patch_size", 2), c.size("spatial_merge_size", 2)
    kernel, head_dim = c.size("conv_kernel_size", 3), width // heads
    keys = c.size("num_kv_heads", heads) * head_dim
    middle, bias = outer.size("projector_hidden_size"), outer.flag("projector_bias", True)
    around = norm("v.ln1", width) + norm("v.ln2", width) + linear("v.ffn_gate", inner, width)
    around += linear("v.ffn_up", inner, width) + linear("v.ffn_down", width, inner)
    mixing = linear("v.conv_in", 3 * width, width) + vector("v.conv", width, 1, kernel, kernel)
    attending = linear("v.attn_q", width, width) + linear("v.attn_k", keys, width) + linear("v.attn_v", keys, width)
    attending += norm("v.attn_q_norm", head_dim) + norm("v.attn_k_norm", head_dim)
    kinds = {
        "convolution": around + mixing + linear("v.conv_out", width, width),
        "full": around + attending + linear("v.attn_out", width, width),
    }
    stated = c.words("layer_types", c.size("num_layers"))
    order = stated or ["conv" if index < 2 or index % 2 else "full_attention" for index in range(c.size("num_layers"))]
    unknown = next((word for word in order if kind_of(c, word) not in kinds), None)
    if unknown is not None:
        raise c.fail("layer_types", "unknown_layer_kind", kind=unknown, model_type=c.model_type)
    layers = [kinds[kind_of(c, word)] for word in order]
    outside = linear("v.patch_embd", width, c.size("in_channels", 3) * frames * patch * patch) + norm("v.pre_ln", width)
    outside += norm("mm.input_norm", width, "layer") + linear("mm.1", middle, width * merge**2, bias)
    return (Tower("vision", outside + linear("mm.2", hidden, middle, bias), layers),)


TOWERS: dict[str, Towers] = {
    "minicpm_ocr": minicpmv,
    "aria": aria,
    "idefics2": idefics2,
    "lfm3_vl": lfm3_vl,
    "minicpmv4_6": minicpmv,
    "minicpmv4_7": minicpmv,
    "molmo2": molmo2,
    "ovis": ovis,
    "ovis2": ovis2,
}
