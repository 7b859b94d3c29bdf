"""Encoders that turn images and sound into words of the text's own vocabulary (VQ-GAN, arXiv:2012.09841; WavTokenizer,
arXiv:2408.16532).

Source: transformers 5.24.0, `models/apertus1p5`, `models/chameleon`, `models/emu3`, `models/wavtokenizer`
(`modeling_*.py`).
"""

from __future__ import annotations

from calculator.architecture.fields import Fields
from calculator.architecture.tensors import norm, vector
from calculator.architecture.towers.tower import Tower, Towers, Weights, part_of, vision_of

MOST_STAGES = 16  # each halves the image


def _convolution(role: str, output: int, input_: int, kernel: int) -> Weights:
    return vector(role, output, input_, kernel, kernel) + vector(role, output, kind="bias")


def _residual(input_: int, output: int) -> Weights:
    weights = norm("v.res_norm1", input_, "layer") + _convolution("v.res_conv1", output, input_, 3)
    weights += norm("v.res_norm2", output, "layer") + _convolution("v.res_conv2", output, output, 3)
    return weights + (_convolution("v.res_shortcut", output, input_, 1) if input_ != output else ())


def _attends(width: int) -> Weights:
    weights = norm("v.ln1", width, "layer")
    for name in ("q", "k", "v", "out"):
        weights += _convolution(f"v.attn_{name}", width, width, 1)
    return weights


def _stages(c: Fields, base: int) -> list[int]:
    """The width of each."""
    times = c.sizes("channel_multiplier", least=1) or [1]
    if len(times) > MOST_STAGES:
        raise c.fail("channel_multiplier", "wrong_length", length=len(times), expected=MOST_STAGES)
    return [base * one for one in times]


def image_tokenizer(c: Fields, words: str = "codebook_size") -> Tower:
    """Convolutions that halve the image stage by stage; attention at the resolutions that the file lists."""
    base, latent, size = c.size("base_channels"), c.size("latent_channels"), c.size("embed_dim")
    widths = _stages(c, base)
    number, side, seen = c.size("num_res_blocks"), c.size("resolution"), set(c.sizes("attn_resolutions") or ())
    c.ignore("spatial_scale_factor")
    layers: list[Weights] = []
    for index, (before, width) in enumerate(zip([base, *widths], widths, strict=False)):
        around = _attends(width) if side >> index in seen else ()
        layers += [_residual(before, width) + around, *[_residual(width, width) + around] * (number - 1)]
        if index < len(widths) - 1:
            layers.append(_convolution("v.downsample", width, width, 3))
    last = widths[-1]
    outside = _convolution("v.patch_embd", base, c.size("in_channels", 3), 3)
    outside += _residual(last, last) * 2 + _attends(last) + norm("v.post_ln", last, "layer")
    outside += _convolution("v.output", latent, last, 3) + _convolution("v.quantise", size, latent, 1)
    return Tower("vision", outside + vector("v.codebook", c.size(words), size), layers)


def _waves(role: str, output: int, input_: int, kernel: int) -> Weights:
    """Normalised by weight: length and direction apart."""
    return vector(role, output, 1, 1) + vector(role, output, input_, kernel) + vector(role, output, kind="bias")


def sound_tokenizer(c: Fields) -> Tower:
    """Strided convolutions, then a recurrent network over what they give."""
    width, hidden = c.size("num_filters"), c.size("hidden_size")
    narrow, kernel = c.size("compress", 2), c.size("residual_kernel_size", 3)
    c.ignore("codebook_size", "codebook_dim", "decoder_hidden_size", "decoder_intermediate_size", "decoder_num_layers")
    c.ignore("adanorm_num_embeddings", "decoder_attention_num_groups", "dilation_growth_rate")
    if (kind := c.word("norm_type", "weight_norm")) != "weight_norm":
        raise c.fail("norm_type", "unsupported_value", value=kind[:40])
    outside = _waves("a.conv_in", width, c.size("audio_channels", 1), c.size("kernel_size", 7))
    layers: list[Weights] = []
    for ratio in reversed(c.sizes("upsampling_ratios", least=1) or []):
        block = _waves("a.res_conv1", width // narrow, width, kernel) + _waves("a.res_conv2", width, width // narrow, 1)
        block += _waves("a.res_shortcut", width, width, 1) if c.flag("use_conv_shortcut", True) else ()
        layers += [block] * c.size("num_residual_layers", 1) + [_waves("a.downsample", 2 * width, width, 2 * ratio)]
        width *= 2
    for _ in range(c.count("num_lstm_layers")):
        layers.append(vector("a.lstm", 2, 4 * width, width) + vector("a.lstm", 2, 4 * width, kind="bias"))
    outside += _waves("a.conv_out", hidden, width, c.size("last_kernel_size", 7))
    return Tower("audio", outside, layers)


def apertus1p5(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    outer.ignore("image_token_offset", "audio_token_offset")
    image = image_tokenizer(vision_of(outer, "apertus1p5_vision_tokenizer"))
    return image, sound_tokenizer(part_of(outer, "audio_config", "wavtokenizer_encoder"))


def chameleon(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    c = part_of(outer, "vq_config", "chameleon_vqgan")
    for name, known in (("attn_type", "vanilla"), ("double_latent", False)):
        if (value := c.value(name)) not in (None, known):
            raise c.fail(name, "unsupported_value", value=str(value)[:40])
    tower, size = image_tokenizer(c, "num_embeddings"), c.size("embed_dim")
    back = _convolution("v.dequantise", c.size("latent_channels"), size, 1)
    return (Tower("vision", tower.outside + back, tower.layers),)


def _guided(channels: int, width: int) -> Weights:
    """A norm that what was chosen from the codebook scales and shifts."""
    return norm("v.res_norm", width, "layer") + _convolution("v.res_guide", width, channels, 1) * 2


def _restoring(channels: int, input_: int, output: int) -> Weights:
    weights = _guided(channels, input_) + _convolution("v.res_conv1", output, input_, 3)
    weights += _guided(channels, output) + _convolution("v.res_conv2", output, output, 3)
    return weights + (_convolution("v.res_shortcut", output, input_, 1) if input_ != output else ())


def _cube(role: str, output: int, input_: int, *kernel: int) -> Weights:
    return vector(role, output, input_, *kernel) + vector(role, output, kind="bias")


def emu3(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """Emu3 reads images and films through a codebook, and what is made of them again: both ways are loaded."""
    c = part_of(outer, "vq_config", "emu3_vqgan")
    base, latent, size, number = (
        c.size(name) for name in ("base_channels", "latent_channels", "embed_dim", "num_res_blocks")
    )
    widths = _stages(c, base)
    seen, halved = set(c.sizes("attn_resolutions") or ()), c.size("temporal_downsample_factor").bit_length() - 1
    made = 2 * latent if c.flag("double_latent") else latent
    c.ignore("hidden_size", "num_heads")
    outer.ignore("vocabulary_map")
    layers: list[Weights] = []
    for index, (before, width) in enumerate(zip([base, *widths], widths, strict=False)):
        around = _attends(width) if index in seen else ()
        layers += [_residual(before, width) + around, *[_residual(width, width) + around] * (number - 1)]
        if index < len(widths) - 1:
            layers.append(_convolution("v.downsample", width, width, 3))
    last = before = widths[-1]
    for index, width in reversed(list(enumerate(widths))):
        around = _attends(width) + _convolution("v.attn_guide", width, size, 1) * 2 if index in seen else ()
        layers += [_restoring(size, before, width) + around, *[_restoring(size, width, width) + around] * number]
        layers += [_convolution("v.upsample", width, width, 3)] * (index > 0)
        before = width
    outside = _convolution("v.patch_embd", base, c.size("in_channels"), 3)
    outside += _residual(last, last) * 2 + _attends(last) + norm("v.post_ln", last, "layer")
    outside += _convolution("v.output", made, last, 3) + _cube("v.time_down", made, made, 4, 3, 3) * halved
    outside += _convolution("v.restore", last, latent, 3) + _cube("v.time_up", latent, latent, 3, 3, 3) * halved
    for channels in (made, latent):
        over_time = norm("v.time_norm", channels, "layer") + _cube("v.time_conv", channels, channels, 3, 3, 3)
        outside += over_time * (2 * number)
    outside += _restoring(size, last, last) * 2 + _attends(last) + _convolution("v.attn_guide", last, size, 1) * 2
    outside += _guided(size, base) + _convolution("v.pixels", c.size("out_channels"), base, 3)
    outside += _cube("v.quantise", size, latent, 3, 1, 1) + _cube("v.dequantise", latent, size, 3, 1, 1)
    return (Tower("vision", outside + vector("v.codebook", c.size("codebook_size"), size), layers),)


TOWERS: dict[str, Towers] = {"apertus1p5": apertus1p5, "chameleon": chameleon, "emu3": emu3}
