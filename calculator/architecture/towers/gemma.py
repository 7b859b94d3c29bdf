"""The vision and audio encoders of Gemma 3n and Gemma 4."""

from __future__ import annotations

from calculator.architecture.fields import Fields
from calculator.architecture.tensors import linear, norm, vector
from calculator.architecture.towers.tower import Tower, Towers, Weights, block, vision_of

# timm's mobilenetv5_300m_enc, which has no sizes to configure: its parameters, as one tensor.
MOBILENET_V5 = 294_126_912


def gemma4(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """Each encoder only where the file has one."""
    towers: tuple[Tower, ...] = ()
    if outer.has("vision_config"):
        towers += (_vision(vision_of(outer, "gemma4_vision"), hidden),)
    audio = outer.part("audio_config", "gemma4_audio")
    return (*towers, _audio(audio, hidden)) if audio is not None else towers


def _vision(c: Fields, hidden: int) -> Tower:
    width, head_dim, patch = c.size("hidden_size"), c.size("head_dim"), c.size("patch_size")
    heads, bias = c.size("num_heads"), c.flag("attention_bias")
    c.ignore("num_kv_heads", "global_head_dim", "context", "pooling_kernel_size", "use_clipped_linears")
    layer = block(
        width,
        c.size("intermediate_size"),
        norm_kind="rms",
        qkv_bias=bias,
        out_bias=bias,
        mlp_bias=False,
        gated=True,
        qk_norm=head_dim,
        extra_norms=True,
    )
    if heads * head_dim != width and not c.faults:
        raise c.fail("head_dim", "does_not_divide", value=head_dim, of="hidden_size", total=width)
    outside = vector("v.position_embd", 2, c.size("position_embedding_size"), width)
    outside += linear("v.patch_embd", width, 3 * patch * patch) + linear("mm.input_projection", hidden, width)
    if c.flag("standardize"):
        outside += vector("v.std_bias", width, kind="buffer") + vector("v.std_scale", width, kind="buffer")
    return Tower("vision", outside, [layer] * c.size("num_layers"))


def _audio(c: Fields, hidden: int) -> Tower:
    """A conformer (arXiv:2005.08100) over a mel spectrogram of 128 bands, halved twice."""
    width, channels = c.size("hidden_size"), c.sizes("subsampling_conv_channels") or [128, 32]
    output, heads = c.size("output_proj_dims", 1536), c.size("num_heads")
    c.ignore("attention_chunk_size", "attention_context_left", "attention_context_right", "use_clipped_linears")
    outside = _subsample(channels, width)
    outside += linear("a.output_proj", output, width, True) + linear("mm.a.input_projection", hidden, output)
    return Tower("audio", outside, [_conformer(width, heads, c.size("conv_kernel_size", 5))] * c.size("num_layers"))


def _subsample(channels: list[int], width: int) -> Weights:
    weights: Weights = ()
    before = 1
    for channel in channels:
        weights += vector("a.conv2d", channel, before, 3, 3) + norm("a.conv2d.norm", channel)
        before = channel
    return weights + linear("a.input_projection", width, channels[-1] * 32)


def _conformer(width: int, heads: int, kernel: int) -> Weights:
    weights: Weights = ()
    for suffix in ("", "_1"):
        weights += linear(f"a.ffn_up{suffix}", 4 * width, width) + linear(f"a.ffn_down{suffix}", width, 4 * width)
        weights += norm(f"a.ffn_norm{suffix}", width) + norm(f"a.ffn_post_norm{suffix}", width)
    for name in ("attn_q", "attn_k", "attn_v", "attn_out", "attn_k_rel"):
        weights += linear(f"a.{name}", width, width)
    weights += vector("a.per_dim_scale", width // heads)
    weights += linear("a.conv_pw1", 2 * width, width) + linear("a.conv_pw2", width, width)
    weights += vector("a.conv_dw", width, 1, kernel) + norm("a.norm_conv", width) + norm("a.conv_norm", width)
    return weights + norm("a.attn_pre_norm", width) + norm("a.attn_post_norm", width) + norm("a.ln2", width)


def gemma4_unified(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """No encoder: patches and audio frames are projected straight into the text. Each only where the file has it."""
    towers: tuple[Tower, ...] = ()
    if outer.has("vision_config"):
        towers += (_unified_vision(vision_of(outer, "gemma4_unified_vision"), hidden),)
    a = outer.part("audio_config", "gemma4_unified_audio")
    if a is not None:
        towers += (Tower("audio", linear("mm.a.input_projection", hidden, a.size("audio_embed_dim"))),)
    return towers


def _unified_vision(c: Fields, hidden: int) -> Tower:
    width, output = c.size("mm_embed_dim"), c.size("output_proj_dims")
    pixels = 3 * (c.size("patch_size") * c.size("pooling_kernel_size")) ** 2
    outside = vector("v.position_embd", c.size("mm_posemb_size"), 2, width) + norm("v.pre_ln", pixels, "layer")
    outside += linear("v.patch_embd", width, pixels, True) + norm("v.norm_embd", width, "layer")
    outside += norm("v.post_ln", width, "layer") + linear("mm.input_projection", hidden, output)
    return Tower("vision", outside)


def gemma3n(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """MobileNet-V5 for images, a conformer for sound; both also embed a small vocabulary of their own."""
    c = vision_of(outer, "gemma3n_vision")
    a = outer.part("audio_config", "gemma3n_audio")
    if a is None:
        a = Fields({}, "gemma3n_audio", path="audio_config.", nested=True, faults=outer.faults)
    c.ignore("num_classes", "model_args", "architecture", "do_pooling", "vocab_offset")
    vision = vector("v.encoder", MOBILENET_V5) + _embedder(c, "mm.", hidden)
    width, heads = a.size("hidden_size"), a.size("conf_num_attention_heads")
    channels = a.sizes("sscp_conv_channel_size") or [128, 32]
    a.ignore("conf_attention_chunk_size", "conf_attention_context_left", "conf_attention_context_right")
    a.ignore("input_feat_size", "sscp_conv_kernel_size", "sscp_conv_stride_size")
    a.ignore("conf_positional_bias_size", "vocab_offset")
    layer = _conformer(width, heads, a.size("conf_conv_kernel_size"))
    outside = _subsample(channels, width) + _embedder(a, "mm.a.", hidden)
    return (
        Tower("vision", vision),
        Tower("audio", outside, [layer] * a.size("conf_num_hidden_layers")),
    )


def _embedder(c: Fields, prefix: str, hidden: int) -> Weights:
    width = c.size("hidden_size")
    weights = vector(f"{prefix}embedding", c.size("vocab_size"), width) + norm(f"{prefix}hard_emb_norm", width)
    return weights + norm(f"{prefix}soft_emb_norm", width) + linear(f"{prefix}input_projection", hidden, width)


TOWERS: dict[str, Towers] = {
    "gemma3n": gemma3n,
    "diffusion_gemma": gemma4,
    "gemma4": gemma4,
    "gemma4_unified": gemma4_unified,
}
