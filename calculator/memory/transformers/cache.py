"""The dynamic cache: as long as the sequence, no padding; windows and chunks keep their own length.

Source: transformers 5.24 `cache_utils.py` (`DynamicLayer`, `DynamicSlidingWindowLayer`, also for chunked attention,
`LinearAttentionLayer`); `models/deepseek_v3` caches the compressed latent and the rotary key.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from calculator.architecture.shape import (
    Attention,
    ChunkedAttention,
    CompressedAttention,
    CrossAttention,
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
from calculator.memory.workload import Term, WorkloadError

F32_BYTES = 4


@lru_cache(maxsize=256)
def _mixers(shape: Shape, places: tuple[int, ...], cards: int) -> tuple[tuple[Mixer, tuple[int, ...]], ...]:
    """Distinct mixers that cache, and how many of each a card holds; `places` has the card of each layer."""
    counts: dict[Mixer, list[int]] = {}
    for layer, card in zip(shape.layers, places, strict=True):
        if layer.shares_kv_of is None:
            for mixer in layer.mixers:
                counts.setdefault(_as_cached(shape, mixer), [0] * cards)[card] += 1
    return tuple((mixer, tuple(per_card)) for mixer, per_card in counts.items())


def _as_cached(shape: Shape, mixer: Mixer) -> Mixer:
    """Falcon's later models repeat keys and values for every head before they cache them
    (`models/falcon/modeling_falcon.py`, `_split_heads`): Falcon 40B keeps 128 heads, not 8."""
    if shape.model_type == "falcon" and isinstance(mixer, Attention) and mixer.num_kv_heads > 1:
        return replace(mixer, num_kv_heads=mixer.num_heads)
    return mixer


def cache_terms(
    shape: Shape, context_tokens: int, sequences: int, value_bytes: int, places: tuple[int, ...], count: int
) -> tuple[tuple[Term, ...], list[int]]:
    """Terms of the keys and values, and their bytes on each of `count` cards; `places` has the card of each layer."""
    terms, cards = [], [0] * count
    for mixer, counts in _mixers(shape, places, count):
        for kind, tokens, width in _cached(mixer, context_tokens):
            one = sequences * tokens * width * value_bytes
            values = {"layers": sum(counts), "sequences": sequences, "tokens": tokens, "width": width}
            terms.append(Term(f"cached_{kind}", values | {"bytes": value_bytes}, one * sum(counts)))
            cards = [held + one * count for held, count in zip(cards, counts, strict=True)]
    return tuple(terms), cards


def cached_numbers(shape: Shape, mixer: Mixer, context_tokens: int) -> int:
    """What one layer caches of one sequence, states apart."""
    kept = _cached(_as_cached(shape, mixer), context_tokens)
    return sum(tokens * width for _kind, tokens, width in kept)


def _cached(mixer: Mixer, context_tokens: int) -> list[tuple[str, int, int]]:
    """Kind, tokens kept and elements per token, of everything that a layer caches.

    Raises WorkloadError for a kind of layer whose cache is not known, here and in `_state_elements`.
    """
    if isinstance(mixer, WindowedLatentAttention):
        return [("sliding", min(context_tokens, mixer.window), mixer.kv_lora_rank + mixer.qk_rope_head_dim)]
    if isinstance(mixer, LatentAttention):
        indexer = mixer.indexer.head_dim if mixer.indexer else 0
        return [("latent", context_tokens, mixer.kv_lora_rank + mixer.qk_rope_head_dim + indexer)]
    if isinstance(mixer, CompressedAttention):
        cached = [("sliding", min(context_tokens, mixer.window), mixer.head_dim)]
        if mixer.compression:
            indexer = mixer.indexer.head_dim if mixer.indexer else 0
            cached.append(("latent", context_tokens // mixer.compression, mixer.head_dim + indexer))
        return cached
    if isinstance(mixer, Attention):
        return [_cached_heads(mixer, context_tokens)]
    if isinstance(mixer, (LinearAttention, StateSpace, ShortConvolution, Recurrence)):
        return []  # a state, and no tokens
    raise WorkloadError("engine", "layer_not_modelled", layer=type(mixer).__name__)


def _cached_heads(mixer: Attention, context_tokens: int) -> tuple[str, int, int]:
    width = mixer.num_kv_heads * (mixer.head_dim + mixer.value_head_dim)
    if isinstance(mixer, SlidingWindowAttention):
        return "sliding", min(context_tokens, mixer.window), width
    if isinstance(mixer, ChunkedAttention):
        return "chunked", min(context_tokens, mixer.chunk), width
    if isinstance(mixer, CrossAttention):
        return "cross", mixer.encoder_tokens, width
    if isinstance(mixer, IndexedAttention):
        width += mixer.indexer.head_dim
    if isinstance(mixer, FullAttention):
        return "full", context_tokens, width
    raise WorkloadError("engine", "layer_not_modelled", layer=type(mixer).__name__)


def state_terms(
    shape: Shape, sequences: int, value_bytes: int, places: tuple[int, ...], count: int
) -> tuple[tuple[Term, ...], list[int]]:
    """Terms of the recurrent states: convolution inputs in the model's dtype, the state itself in f32."""
    terms, cards = [], [0] * count
    for mixer, counts in _mixers(shape, places, count):
        convolution, state = _state_elements(mixer)
        if not convolution + state:
            continue
        one = sequences * (convolution * value_bytes + state * F32_BYTES)
        values = {
            "layers": sum(counts),
            "sequences": sequences,
            "convolution": convolution,
            "state": state,
            "bytes": value_bytes,
        }
        terms.append(Term("state", values, one * sum(counts)))
        cards = [held + one * count for held, count in zip(cards, counts, strict=True)]
    return tuple(terms), cards


def _state_elements(mixer: Mixer) -> tuple[int, int]:
    """The last `conv_kernel` inputs of the convolution, and the state."""
    if isinstance(mixer, LinearAttention):
        return (
            mixer.conv_kernel * mixer.conv_channels,
            mixer.num_value_heads * mixer.key_head_dim * mixer.value_head_dim,
        )
    if isinstance(mixer, StateSpace):
        channels = mixer.inner_size + (2 * mixer.num_groups * mixer.state_size if mixer.version == 2 else 0)
        return mixer.conv_kernel * channels, mixer.inner_size * mixer.state_size
    if isinstance(mixer, ShortConvolution):
        kept = mixer.conv_kernel * mixer.conv_channels
        return (0, kept) if mixer.in_f32 else (kept, 0)
    if isinstance(mixer, Recurrence):
        return (mixer.conv_kernel - 1) * mixer.conv_channels, mixer.state_elements
    if isinstance(mixer, (Attention, LatentAttention, CompressedAttention)):
        return 0, 0  # tokens, and no state
    raise WorkloadError("engine", "layer_not_modelled", layer=type(mixer).__name__)
