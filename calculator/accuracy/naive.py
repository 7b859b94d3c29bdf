"""The formulas that most calculators use, on our cases, so that the difference can be read off.

They are computed from the same shapes, with the same exact parameter counts: real tools start from a rounded "8B".
"""

from __future__ import annotations

import re

from calculator.architecture.shape import Attention, LatentAttention, Shape

KV_BITS = {
    "f32": 32,
    "f16": 16,
    "bf16": 16,
    "fp8": 8,
    "fp8_e4m3": 8,
    "q8_0": 8,
    "q5_1": 5,
    "q5_0": 5,
    "q4_1": 4,
    "q4_0": 4,
    "iq4_nl": 4,
}
NAMED_BITS = {"FP8-BLOCK": 8, "AWQ": 4, "GPTQ": 4}


def nominal_bits(weight_format: str) -> int:
    """The number in a format's name.

    >>> nominal_bits("Q4_K_M"), nominal_bits("BF16"), nominal_bits("IQ2_M"), nominal_bits("GPTQ")
    (4, 16, 2, 4)
    """
    found = re.search(r"\d+", weight_format)
    return NAMED_BITS.get(weight_format) or int(found.group() if found else 16)


def parameters_times_bits(shape: Shape, weight_format: str) -> int:
    """Parameters x bits / 8."""
    return shape.total_parameters * nominal_bits(weight_format) // 8


def hidden_size_cache(shape: Shape, kv_format: str, context_tokens: int) -> int:
    """2 x layers x hidden size x context x bytes: as many key/value heads as query heads, in every layer."""
    return 2 * shape.num_layers * shape.hidden_size * context_tokens * KV_BITS[kv_format] // 8


def full_attention_cache(shape: Shape, kv_format: str, context_tokens: int) -> int | None:
    """2 x layers x key/value heads x head size x context x bytes: every layer like the first that attends."""
    width = next((_width(mixer) for layer in shape.layers for mixer in layer.mixers if _width(mixer)), 0)
    return width * shape.num_layers * context_tokens * KV_BITS[kv_format] // 8 if width else None


def _width(mixer: object) -> int:
    if isinstance(mixer, LatentAttention):
        return mixer.num_heads * (mixer.qk_nope_head_dim + mixer.qk_rope_head_dim + mixer.value_head_dim)
    return mixer.num_kv_heads * (mixer.head_dim + mixer.value_head_dim) if isinstance(mixer, Attention) else 0
