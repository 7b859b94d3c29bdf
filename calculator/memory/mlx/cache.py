"""What a sequence keeps in mlx-lm: growing caches, rotating ones for windows, and states.

Source: mlx-lm 0.32.2 `models/cache.py` (`KVCache` grows by 256 tokens, `RotatingKVCache`, `ChunkedKVCache`,
`QuantizedKVCache`, `ArraysCache`) and the `make_cache` of each model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from calculator.architecture.shape import (
    Attention,
    ChunkedAttention,
    FullAttention,
    IndexedAttention,
    LatentAttention,
    LinearAttention,
    Mixer,
    Shape,
    ShortConvolution,
    SlidingWindowAttention,
    StateSpace,
)
from calculator.memory.checkpoint import ceil_div
from calculator.memory.mlx.models import is_decompressed, is_windowed
from calculator.memory.workload import Term, WorkloadError

STEP_TOKENS = 256
VALUE_BYTES = 2
F32_BYTES = 4

GROUP = 64
QUANTISED_KV = {"8bit": 8, "4bit": 4}  # `--kv-bits`; each group of 64 values has a scale and a bias of 16 bits
KV_FORMATS = ("bf16", "f16", *QUANTISED_KV)


@dataclass(frozen=True, slots=True)
class Kept:
    """`kind`: full, window, chunk or state. `width`: values per token; of a state `convolution` and `state` values."""

    kind: str
    width: int = 0
    reach: int = 0
    convolution: int = 0
    state: int = 0
    state_bytes: int = F32_BYTES


@lru_cache(maxsize=256)
def kept_by(shape: Shape) -> tuple[Kept, ...]:
    """What each layer keeps. Raises `WorkloadError` for a kind of layer that is not modelled here."""
    return tuple(
        kept
        for layer in shape.layers
        if layer.shares_kv_of is None
        for mixer in layer.mixers
        for kept in _of_mixer(mixer, shape.model_type)
    )


def _of_mixer(mixer: Mixer, model_type: str) -> Iterable[Kept]:
    if isinstance(mixer, FullAttention | SlidingWindowAttention | ChunkedAttention | IndexedAttention):
        return _heads(mixer, windowed=is_windowed(model_type))
    if isinstance(mixer, LatentAttention):
        if is_decompressed(model_type):
            key = mixer.qk_nope_head_dim + mixer.qk_rope_head_dim
            return (Kept("full", mixer.num_heads * (key + mixer.value_head_dim)),)
        indexer = 2 * mixer.indexer.head_dim if mixer.indexer else 0  # its cache keeps values too, which nothing reads
        return (Kept("full", mixer.kv_lora_rank + mixer.qk_rope_head_dim + indexer),)
    if isinstance(mixer, LinearAttention):
        state = mixer.num_value_heads * mixer.key_head_dim * mixer.value_head_dim
        return (Kept("state", convolution=max(0, mixer.conv_kernel - 1) * mixer.conv_channels, state=state),)
    if isinstance(mixer, StateSpace):
        second = mixer.version == 2
        channels = mixer.inner_size + (2 * mixer.num_groups * mixer.state_size if second else 0)
        return (
            Kept(
                "state",
                convolution=(mixer.conv_kernel - 1) * channels,
                state=mixer.inner_size * mixer.state_size,
                state_bytes=F32_BYTES if second else VALUE_BYTES,
            ),
        )
    if isinstance(mixer, ShortConvolution):
        return (Kept("state", convolution=(mixer.conv_kernel - 1) * mixer.conv_channels),)
    raise WorkloadError("engine", "layer_not_modelled", layer=type(mixer).__name__)


def _heads(mixer: Attention, *, windowed: bool) -> Iterable[Kept]:
    width = mixer.num_kv_heads * (mixer.head_dim + mixer.value_head_dim)
    if isinstance(mixer, SlidingWindowAttention) and windowed:
        return (Kept("window", width, mixer.window),)
    if isinstance(mixer, ChunkedAttention):
        return (Kept("chunk", width, mixer.chunk),)
    if isinstance(mixer, IndexedAttention):
        width += mixer.indexer.head_dim
    return (Kept("full", width),)


def tokens_kept(kept: Kept, context_tokens: int) -> int:
    """Tokens that a cache has room for when the context is full.

    >>> tokens_kept(Kept("full"), 300), tokens_kept(Kept("window", reach=512), 300)
    (512, 512)
    >>> tokens_kept(Kept("window", reach=4096), 300)
    555
    """
    stepped = ceil_div(context_tokens, STEP_TOKENS) * STEP_TOKENS
    if kept.kind == "window":  # a prompt is kept as it is, then the cache grows by a step at most up to the window
        return min(kept.reach, context_tokens - 1 + STEP_TOKENS)
    if kept.kind == "chunk":  # the front is cut off when a chunk is full, then the cache grows again
        return min(stepped, kept.reach + STEP_TOKENS)
    return stepped


def value_bytes(kv_format: str) -> Fraction:
    """Bytes of one cached value, with its share of a group's scale and bias.

    >>> value_bytes("8bit"), value_bytes("bf16")
    (Fraction(17, 16), Fraction(2, 1))
    """
    bits = QUANTISED_KV.get(kv_format)
    return Fraction(VALUE_BYTES) if bits is None else Fraction(bits, 8) + Fraction(2 * VALUE_BYTES, GROUP)


def cache_terms(kept: Iterable[Kept], kv_format: str, context_tokens: int, sequences: int) -> tuple[Term, ...]:
    terms = []
    for each, layers in Counter(each for each in kept if each.kind != "state").items():
        tokens = tokens_kept(each, context_tokens)
        kind = {"window": "sliding", "chunk": "chunked"}.get(each.kind, "full")
        values = {"layers": layers, "sequences": sequences, "tokens": tokens, "width": each.width}
        size = layers * sequences * tokens * each.width * value_bytes(kv_format)
        terms.append(Term(f"cached_{kind}", values | {"bytes": f"{float(value_bytes(kv_format)):g}"}, int(size)))
    return tuple(terms)


def state_terms(kept: Iterable[Kept], sequences: int) -> tuple[Term, ...]:
    terms = []
    for each, layers in Counter(each for each in kept if each.kind == "state").items():
        size = layers * sequences * (each.convolution * VALUE_BYTES + each.state * each.state_bytes)
        values: dict[str, int | str] = {"layers": layers, "sequences": sequences, "convolution": each.convolution}
        terms.append(Term("mlx_state", values | {"state": each.state, "bytes": each.state_bytes}, size))
    return tuple(terms)
