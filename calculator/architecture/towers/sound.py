"""Encoders of sound built like Whisper's (arXiv:2212.04356), and models that hear and see (Qwen-Omni).

Sources: transformers 5.24.0, `models/qwen2_audio`, `models/voxtral`, `models/qwen2_5_omni`
and `models/qwen3_omni_moe` (`modeling_*.py`).
"""

from __future__ import annotations

from calculator.architecture.fields import Fields
from calculator.architecture.tensors import linear, norm, vector
from calculator.architecture.towers.others import muse_glimmer
from calculator.architecture.towers.qwen import qwen2_5_vl, qwen3_vl
from calculator.architecture.towers.tower import Tower, Towers, Weights, block, part_of, two_layers


def read_sizes(c: Fields) -> tuple[int, int, int]:
    """Width, width of the feed-forward, layers: Qwen writes them as Whisper's files do."""
    c.ignore("encoder_attention_heads", "num_heads", "num_kv_heads", "head_dim", "n_window", "n_window_infer")
    c.ignore("max_source_positions", "num_hidden_layers", "conv_chunksize", "vocab_size", "encoder_layerdrop")
    inner = c.size("encoder_ffn_dim", None) or c.size("intermediate_size")
    return c.size("hidden_size"), inner, c.size("encoder_layers", None) or c.size("num_layers")


def whisper_layer(width: int, inner: int, kv_width: int | None = None) -> Weights:
    """Keys have no bias."""
    return tuple(
        weight
        for weight in block(width, inner, prefix="a.", kv_width=kv_width)
        if (weight.role, weight.kind) != ("a.attn_k", "bias")
    )


def _convolutions(c: Fields, width: int) -> Weights:
    weights: Weights = ()
    for name, channels in (("a.conv1d.1", c.size("num_mel_bins", 128)), ("a.conv1d.2", width)):
        weights += vector(name, width, channels, 3) + vector(name, width, kind="bias")
    return weights


def whisper(c: Fields, *, positions: bool, beyond: Weights, kv_width: int | None = None) -> Tower:
    width, inner, number = read_sizes(c)
    outside = _convolutions(c, width) + norm("a.post_ln", width, "layer") + beyond
    outside += vector("a.position_embd", c.size("max_source_positions", 1500), width) if positions else ()
    return Tower("audio", outside, [whisper_layer(width, inner, kv_width)] * number)


def qwen2_audio(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    c = part_of(outer, "audio_config", "qwen2_audio_encoder")
    return (whisper(c, positions=True, beyond=linear("mm.a.fc", hidden, c.size("hidden_size"), True)),)


def voxtral(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """The projector reads what one feed-forward width of neighbouring frames holds."""
    c = part_of(outer, "audio_config", "voxtral_encoder")
    outer.ignore("hidden_size", "vocab_size")
    return (whisper(c, positions=True, beyond=two_layers(hidden, hidden, c.size("intermediate_size"), bias=False)),)


def qwen2_5_omni(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    c = part_of(outer, "audio_config", "qwen2_5_omni_audio_encoder")
    width, output = c.size("hidden_size"), c.size("output_dim", hidden)
    beyond = vector("a.bos_eos_embd", 2, output) + linear("mm.a.fc", output, width, True)
    part_of(outer, "vision_config", "qwen2_5_omni_vision_encoder")
    return (*qwen2_5_vl(outer, hidden), whisper(c, positions=False, beyond=beyond))


def spectrogram(c: Fields, width: int) -> Weights:
    """Three strided convolutions in two dimensions shrink it (Qwen3-Omni)."""
    channels, bands = c.size("downsample_hidden_size", 480), c.size("num_mel_bins", 128)
    outside: Weights = ()
    for index, before in enumerate((1, channels, channels)):
        outside += vector(f"a.conv2d.{index}", channels, before, 3, 3) + vector(
            f"a.conv2d.{index}", channels, kind="bias"
        )
        bands = (bands + 1) // 2
    outside += linear("a.conv_out", width, channels * bands) + norm("a.post_ln", width, "layer")
    return outside


def qwen3_omni(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    c = part_of(outer, "audio_config", "qwen3_omni_moe_audio_encoder")
    vision = part_of(outer, "vision_config", "qwen3_omni_moe_vision_encoder")
    vision.ignore("image_size", "spatial_patch_size")  # the published file repeats `patch_size`
    if vision.value("apply_vit_abs_pos_embed") is False:
        raise vision.fail("apply_vit_abs_pos_embed", "unsupported_value", value=False)
    width, inner, number = read_sizes(c)
    outside = spectrogram(c, width)
    outside += linear("mm.a.1", width, width, True) + linear("mm.a.2", c.size("output_dim", hidden), width, True)
    layer = block(width, inner, prefix="a.")
    return (*qwen3_vl(outer, hidden), Tower("audio", outside, [layer] * number))


def muse_spark(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """Sound is read as a wave: stages that each join neighbours and then convolve them."""
    c = part_of(outer, "audio_config", "muse_spark_audio")
    widths, patch, depths = (c.sizes(name) or [1] for name in ("hidden_sizes", "patch_sizes", "depths"))
    kernel, ratio, output = c.size("conv_kernel_size", 7), c.number("mlp_ratio", 4), c.size("out_hidden_size", hidden)
    c.ignore("num_layers")
    if not len(widths) == len(patch) == len(depths):
        raise c.fail("patch_sizes", "wrong_length", length=len(patch), expected=len(widths))
    layers = []
    for before, width, joined, depth in zip([1, *widths], widths, patch, depths, strict=False):
        inner = int(ratio * width)
        convolving = vector("a.conv", width, 1, kernel) + vector("a.conv", width, kind="bias") + norm("a.ln", width)
        convolving += linear("a.ffn_up", inner, width, True) + linear("a.ffn_down", width, inner, True)
        layers.append(linear("a.patch_embd", width, before * joined, True) + norm("a.patch_norm", width))
        layers.extend([convolving] * depth)
    outside = norm("a.post_ln", widths[-1]) + linear("mm.a.fc", output, widths[-1], True) + norm("mm.a.norm", output)
    return (*muse_glimmer(outer, hidden), Tower("audio", outside, layers))


TOWERS: dict[str, Towers] = {
    "muse_spark": muse_spark,
    "qwen2_5_omni_thinker": qwen2_5_omni,
    "qwen2_audio": qwen2_audio,
    "qwen3_omni_moe_thinker": qwen3_omni,
    "voxtral": voxtral,
}
