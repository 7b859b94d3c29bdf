"""Keys, values and states as mlx-lm keeps them for one batch.

Source: mlx-lm 0.32.2, `models/cache.py`: `KVCache` grows by 256 tokens; `RotatingKVCache` holds
the window; `ChunkedKVCache` (Llama 4) likewise its chunk; `QuantizedKVCache` (`--kv-bits`) packs as weights are packed;
`ArraysCache` holds what is recurrent. `make_cache` of each model's file says which of them a layer has. Batches
(`BatchKVCache`) are as long as their longest sequence.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from calculator.architecture.shape import (
    Attention,
    ChunkedAttention,
    FullAttention,
    IndexedAttention,
    LatentAttention,
    LinearAttention,
    Mixer,
    Recurrence,
    Shape,
    ShortConvolution,
    SlidingWindowAttention,
    StateSpace,
    WindowedLatentAttention,
)
from calculator.memory.checkpoint import ceil_div
from calculator.memory.mlx.models import Traits, traits
from calculator.memory.workload import Term, WorkloadError

STEP = 256
F32_BYTES = 4
GROUP = 64  # `--kv-group-size`
VALUE_BYTES = {"bf16": 2, "f16": 2, "f32": 4}
BITS = {"8bit": 8, "4bit": 4, "2bit": 2}
"""`--kv-bits`. Other widths fill no whole words: `QuantizedKVCache` makes room for 32 // bits values in each."""


@dataclass(frozen=True, slots=True)
class Cached:
    """What a layer keeps of every token: `heads` rows of each of `widths` numbers; of at most `window` tokens."""

    kind: str
    heads: int
    widths: tuple[int, ...]
    window: int | None = None

    @property
    def width(self) -> int:
        return self.heads * sum(self.widths)


@lru_cache(maxsize=256)
def mixers(shape: Shape) -> tuple[tuple[Mixer, int], ...]:
    """Distinct mixers that have a cache of their own, and in how many layers."""
    own = Counter(mixer for layer in shape.layers if layer.shares_kv_of is None for mixer in layer.mixers)
    return tuple(own.items())


CACHED = (FullAttention, SlidingWindowAttention, ChunkedAttention, LatentAttention)
RECURRENT = (LinearAttention, StateSpace, ShortConvolution, Recurrence)


def check(shape: Shape) -> None:
    """Raise `WorkloadError` for a kind of layer that mlx-lm does not run."""
    for mixer, _layers in mixers(shape):
        if not isinstance(mixer, CACHED + RECURRENT) or isinstance(mixer, WindowedLatentAttention):
            raise WorkloadError("engine", "layer_not_supported", layer=type(mixer).__name__)


@lru_cache(maxsize=1024)
def cached(mixer: Mixer, own: Traits) -> tuple[Cached, ...]:
    """The growing caches of a layer."""
    if isinstance(mixer, LatentAttention):
        return _latent(mixer, own)
    if isinstance(mixer, SlidingWindowAttention):
        window = mixer.window if own.uses_windows else None
        return (Cached("sliding" if window else "full", mixer.num_kv_heads, _widths(mixer), window),)
    if isinstance(mixer, ChunkedAttention):
        return (Cached("chunked", mixer.num_kv_heads, _widths(mixer), mixer.chunk),)
    if isinstance(mixer, IndexedAttention):  # `minimax_m3_vl.py`: one key of the indexer, and no value
        return (
            Cached("full", mixer.num_kv_heads, _widths(mixer)),
            Cached("full", 1, (mixer.indexer.head_dim,)),
        )
    return (Cached("full", mixer.num_kv_heads, _widths(mixer)),) if isinstance(mixer, FullAttention) else ()


def _widths(mixer: Attention) -> tuple[int, int]:
    return mixer.head_dim, mixer.value_head_dim


def _latent(mixer: LatentAttention, own: Traits) -> tuple[Cached, ...]:
    """`deepseek_v3.py` keeps the latent and the rotary key; `deepseek_v2.py` every head's keys and values."""
    rope = mixer.qk_rope_head_dim
    if not own.caches_latent:
        return (Cached("full", mixer.num_heads, (mixer.qk_nope_head_dim + rope, mixer.value_head_dim)),)
    kept = Cached("latent", 1, (mixer.kv_lora_rank, rope))
    if mixer.indexer is None:
        return (kept,)
    width = mixer.indexer.head_dim  # `deepseek_v32.py`: `update_and_fetch(k, k)`, so once more as its own value
    return kept, Cached("latent", 1, (width, width))


def cells(item: Cached, tokens: int) -> int:
    """Tokens that there is room for once a prompt has passed; while it passes, windows hold its last piece beside.

    >>> cells(Cached("full", 8, (128, 128)), 5000), cells(Cached("sliding", 8, (128, 128), 1024), 5000)
    (5120, 1024)
    """
    rounded = ceil_div(tokens, STEP) * STEP
    if item.window is None:
        return rounded
    if item.kind == "chunked":
        return min(rounded, item.window + STEP)
    return min(item.window, tokens - 1 + STEP)  # what the first new token makes room for


def row_bytes(width: int, kv_format: str) -> int:
    """Bytes of one head's row."""
    bits = BITS.get(kv_format)
    if bits is None:
        return width * VALUE_BYTES[kv_format]
    return width * bits // 8 + 4 * (width // GROUP)


def cache_terms(shape: Shape, tokens: int, sequences: int, kv_format: str) -> tuple[Term, ...]:
    own = traits(shape)
    terms = []
    for mixer, layers in mixers(shape):
        for item in cached(mixer, own):
            number = cells(item, tokens)
            one = item.heads * sum(row_bytes(width, kv_format) for width in item.widths)
            values: dict[str, int | str] = {"layers": layers, "sequences": sequences, "cells": number}
            values |= {"width": item.width, "format": kv_format, "cell_bytes": one}
            terms.append(Term(f"grown_{item.kind}", values, layers * sequences * number * one))
    return tuple(terms)


def state_terms(shape: Shape, sequences: int, value_bytes: int) -> tuple[Term, ...]:
    """Inputs of convolutions in the model's dtype; the state in 32 bits, but of Mamba (1) and RG-LRU in the model's."""
    terms = []
    for mixer, layers in mixers(shape):
        inputs, state = state_elements(mixer)
        if inputs + state == 0:
            continue
        wide = isinstance(mixer, LinearAttention) or (isinstance(mixer, StateSpace) and mixer.version == 2)
        state_bytes = F32_BYTES if wide else value_bytes
        values: dict[str, int | str] = {"layers": layers, "sequences": sequences, "convolution": inputs, "state": state}
        values |= {"bytes": value_bytes, "state_bytes": state_bytes}
        terms.append(Term("kept_state", values, layers * sequences * (inputs * value_bytes + state * state_bytes)))
    return tuple(terms)


def state_elements(mixer: Mixer) -> tuple[int, int]:
    """Inputs that a convolution keeps, and numbers of state, of one sequence in one layer."""
    if isinstance(mixer, LinearAttention):
        inputs = max(mixer.conv_kernel - 1, 0) * mixer.conv_channels
        return inputs, mixer.num_value_heads * mixer.key_head_dim * mixer.value_head_dim
    if isinstance(mixer, StateSpace):
        channels = mixer.inner_size + (2 * mixer.num_groups * mixer.state_size if mixer.version == 2 else 0)
        return (mixer.conv_kernel - 1) * channels, mixer.inner_size * mixer.state_size
    if isinstance(mixer, ShortConvolution):
        return (mixer.conv_kernel - 1) * mixer.conv_channels, 0
    if isinstance(mixer, Recurrence):
        return (mixer.conv_kernel - 1) * mixer.conv_channels, mixer.state_elements
    return 0, 0
