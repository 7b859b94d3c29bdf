"""Encoders of language models that are asked by voice or transcribe it.

Sources: transformers 5.24.0, `models/qwen3_asr`, `models/glmasr`, `models/audioflamingo3`, `models/musicflamingo`,
`models/granite_speech`, `models/blip_2` (`modeling_*.py`).
"""

from __future__ import annotations

from calculator.architecture.fields import Fields
from calculator.architecture.tensors import linear, norm, vector
from calculator.architecture.towers.sound import read_sizes, spectrogram, whisper
from calculator.architecture.towers.tower import Tower, Towers, Weights, block, part_of, two_layers


def qwen3_asr(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    c = part_of(outer, "audio_config", "qwen3_asr_encoder")
    width, inner, number = read_sizes(c)
    c.ignore("context")
    outer.ignore("timestamp_token_id", "support_languages")
    outside = spectrogram(c, width) + linear("mm.a.1", width, width, True)
    outside += linear("mm.a.2", c.size("output_dim", hidden), width, True)
    return (Tower("audio", outside, [block(width, inner, prefix="a.")] * number),)


def glmasr(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    c = part_of(outer, "audio_config", "glmasr_encoder")
    c.ignore("context")
    heads, width = c.size("num_heads"), c.size("hidden_size")
    kv_width = c.size("num_kv_heads", heads) * (width // heads)
    beyond = two_layers(hidden, 2 * hidden, c.size("intermediate_size"))
    return (whisper(c, positions=False, beyond=beyond, kv_width=kv_width),)


def audioflamingo3(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    c = part_of(outer, "audio_config", "audioflamingo3_encoder")
    outer.ignore("context", "head_dim")
    beyond = two_layers(hidden, hidden, c.size("hidden_size"), outer.flag("projector_bias", True))
    return (whisper(c, positions=True, beyond=beyond),)


def granite_speech(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """A conformer (arXiv:2005.08100), whose frames a Q-Former (arXiv:2301.12597) condenses by windows. What the LoRA of
    a file changes where it hears something is not counted, as transformers does not count it."""
    c, p = (
        part_of(outer, "encoder_config", "granite_speech_encoder"),
        part_of(outer, "projector_config", "blip_2_qformer"),
    )
    window, rate = outer.size("window_size", 15), outer.size("downsample_rate", 5)
    outer.ignore("has_lora_adapter")
    width, output = c.size("hidden_dim"), c.size("output_dim")
    heads = c.size("num_heads") * c.size("dim_head")
    inner, wide = c.size("feedforward_mult", 4) * width, c.size("conv_expansion_factor", 2) * width
    c.ignore("context_size")
    layer: Weights = ()
    for name in ("ffn1", "ffn2"):
        layer += norm(f"a.{name}_norm", width, "layer") + linear(f"a.{name}_up", inner, width, True)
        layer += linear(f"a.{name}_down", width, inner, True)
    layer += norm("a.ln1", width, "layer") + linear("a.attn_q", heads, width) + linear("a.attn_kv", 2 * heads, width)
    layer += linear("a.attn_out", width, heads, True)
    layer += vector("a.attn_rel", 2 * c.size("max_pos_emb", 512) + 1, c.size("dim_head"))
    layer += norm("a.conv_norm", width, "layer") + linear("a.conv_up", 2 * wide, width, True)
    layer += vector("a.conv", wide, 1, c.size("conv_kernel_size")) + norm("a.conv_batch_norm", wide, "layer")
    layer += linear("a.conv_down", width, wide, True) + norm("a.ln_post", width, "layer")
    outside = linear("a.input", width, c.size("input_dim"), True) + linear("a.output", output, width, True)
    outside += linear("a.output_back", width, output, True) + vector(
        "mm.a.query", window // rate, p.size("hidden_size")
    )
    outside += qformer(p) + linear("mm.a.fc", hidden, p.size("hidden_size"), True)
    return (Tower("audio", outside, [layer] * c.size("num_layers")),)


def qformer(c: Fields) -> Weights:
    """BERT's layers over learned queries; every so many also attend to what an encoder gives."""
    width, inner, seen = c.size("hidden_size"), c.size("intermediate_size"), c.size("encoder_hidden_size")
    every = c.size("cross_attention_frequency", 2)
    c.size("num_heads")
    c.ignore("vocab_size", "context", "use_qformer_text_input")

    def attends(role: str, input_: int) -> Weights:
        weights = linear(f"{role}_q", width, width, True) + linear(f"{role}_out", width, width, True)
        weights += linear(f"{role}_k", width, input_, True) + linear(f"{role}_v", width, input_, True)
        return weights + norm(f"{role}_norm", width, "layer")

    weights = norm("mm.qformer.norm", width, "layer")
    for index in range(c.size("num_layers")):
        weights += attends("mm.qformer.attn", width)
        weights += attends("mm.qformer.cross", seen) if index % every == 0 else ()
        weights += linear("mm.qformer.ffn_up", inner, width, True) + linear("mm.qformer.ffn_down", width, inner, True)
        weights += norm("mm.qformer.ffn_norm", width, "layer")
    return weights


TOWERS: dict[str, Towers] = {
    "audioflamingo3": audioflamingo3,
    "glmasr": glmasr,
    "granite_speech": granite_speech,
    "musicflamingo": audioflamingo3,
    "qwen3_asr": qwen3_asr,
    "qwen3_asr_thinker": qwen3_asr,
}
