"""A shape that some machine could hold: numbers that are each in bounds may make one that none could."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from calculator.architecture.aliases import SPELLINGS
from calculator.architecture.errors import ConfigError
from calculator.architecture.fields import Fields
from calculator.architecture.keys import may_bear_shape
from calculator.architecture.mixers import (
    Attention,
    CompressedAttention,
    CrossAttention,
    LatentAttention,
    LinearAttention,
    Mixer,
    Recurrence,
    ShortConvolution,
    StateSpace,
)
from calculator.architecture.shape import Shape
from calculator.architecture.shown import short

MOST_PARAMETERS = 10**14  # 200 TB in 16 bits; the largest that is published has 3 x 10^12
MOST_PER_TOKEN = 2**28  # numbers that all layers keep of a token; GPT-3's keep 2.4 x 10^6
MOST_PER_SEQUENCE = 2**36  # numbers of state; the largest that are published have some 10^8
_USUAL = {"vocab": 2**18, "intermediate": 2**16, "expert": 2**9, "head": 2**9, "rank": 2**11, "layer": 2**7, "": 2**14}
_WIDE = 2  # bytes of a number in 16 bits
_TOKENS = 8192


def check_holdable(shape: Shape, parts: Iterable[Fields]) -> None:
    """Raises ConfigError, which names the largest size in the file, for more than any machine could hold."""
    check_sizes(shape.total_parameters, [mixer for layer in shape.layers for mixer in layer.mixers], parts)


def check_sizes(parameters: int, mixers: Sequence[Mixer], parts: Iterable[Fields]) -> None:
    """The same of what is no model by itself: a draft head."""
    token, sequence = sum(map(per_token, mixers)), sum(map(per_sequence, mixers))
    if parameters > MOST_PARAMETERS:
        size = parameters * _WIDE
    elif token > MOST_PER_TOKEN or sequence > MOST_PER_SEQUENCE:
        size = (token * _TOKENS + sequence) * _WIDE
    else:
        return
    stated = (
        (value / _usual(key), value, part.path + key)
        for part in parts
        for key, entry in part.config.items()
        if may_bear_shape(key, entry) and key not in SPELLINGS["context"]
        for value in (entry if isinstance(entry, list) else [entry])
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    )
    _times, largest, key = max(stated, default=(0, 0, ""))
    raise ConfigError(key, "no_machine", largest=short(largest), value=size // 10**9)


def _usual(key: str) -> int:
    """What the largest published models have of a size of this name, to tell which of them is out of all proportion."""
    return next(most for word, most in _USUAL.items() if word in key)


def per_token(mixer: Mixer) -> int:
    """Numbers that a layer keeps of a token, with latents spread out to heads as some engines keep them."""
    match mixer:
        case CrossAttention():
            return 0
        case Attention():
            return mixer.num_kv_heads * (mixer.head_dim + mixer.value_head_dim)
        case LatentAttention():
            head = mixer.qk_nope_head_dim + mixer.qk_rope_head_dim + mixer.value_head_dim
            return max(mixer.kv_lora_rank + mixer.qk_rope_head_dim, mixer.num_heads * head)
        case CompressedAttention():
            return mixer.head_dim
    return 0


def per_sequence(mixer: Mixer) -> int:
    """Numbers that a layer keeps of a sequence, however long it is."""
    match mixer:
        case CrossAttention():
            return mixer.encoder_tokens * mixer.num_kv_heads * (mixer.head_dim + mixer.value_head_dim)
        case LinearAttention():
            return (
                mixer.num_value_heads * mixer.key_head_dim * mixer.value_head_dim
                + mixer.conv_kernel * mixer.conv_channels
            )
        case StateSpace():
            return mixer.inner_size * (mixer.state_size + mixer.conv_kernel)
        case Recurrence():
            return mixer.state_elements + mixer.conv_kernel * mixer.conv_channels
        case ShortConvolution():
            return mixer.conv_kernel * mixer.conv_channels
    return 0
