"""What one decoding step reads and computes, counted from the model's shape.

Everything here is a lower bound of the work (a step reads at least this), so that `speed` is an upper bound.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import lcm

from calculator.architecture.known import of_shape
from calculator.architecture.shape import (
    Attention,
    ChunkedAttention,
    CompressedAttention,
    CrossAttention,
    Experts,
    FullAttention,
    LatentAttention,
    LinearAttention,
    Mixer,
    Recurrence,
    Shape,
    SharedCompressedAttention,
    ShortConvolution,
    SlidingWindowAttention,
    StateSpace,
    WindowedLatentAttention,
)
from calculator.hardware.engines import engine_named
from calculator.hardware.weight_bytes import WeightBytes
from calculator.memory import Workload, WorkloadError
from calculator.memory.tensors import category

STATE_BYTES = 4
"""Recurrent states are kept in 32 bits (llama.cpp; vLLM's `mamba_ssm_cache_dtype` follows the model's config)."""

CONVOLUTION_BYTES = 2
"""The inputs that a short convolution keeps: 16 bits at the least."""


@dataclass(frozen=True, slots=True)
class Reads:
    """Bytes that one step reads: from the accelerators' memory and from RAM."""

    device_bytes: int
    host_bytes: int


def step_reads(shape: Shape, workload: Workload, held: WeightBytes, visible_tokens: int) -> Reads:
    """Bytes read to produce one token for each of the sequences that run at once, and see `visible_tokens` tokens each;
    `held` are the weights that a token passes."""
    sequences = workload.sequences
    weights = prompt_reads(shape, held, sequences)
    device, host = cache_reads(shape, workload, visible_tokens, held.host_layers)
    return Reads(weights.device_bytes + sequences * device, weights.host_bytes + sequences * host)


def prompt_reads(shape: Shape, held: WeightBytes, tokens: int) -> Reads:
    """Bytes read at the least to take in `tokens` tokens at once: the weights, of the experts those that are hit."""
    share = expert_share(shape, tokens)
    return Reads(
        held.device + round(held.device_experts * share),
        held.host + round(held.host_experts * share),
    )


def expert_share(shape: Shape, tokens: int) -> float:
    """Share of the experts that a step with `tokens` tokens reads: 1 - (1 - k/E)^tokens.

    E experts, k per token, routed independently and evenly (MoESD, arXiv:2505.19645). Real routing is more uneven
    and reads fewer.
    """
    if (experts := _experts(shape)) is None:
        return 1.0
    active, number = experts
    return float(1 - (1 - active / number) ** tokens)


@of_shape
def _experts(shape: Shape) -> tuple[int, int] | None:
    """Per token, and in all, of the first layer that has some."""
    fed = (layer.feed_forward for layer in shape.layers)
    return next(((each.num_active_experts, each.num_experts) for each in fed if isinstance(each, Experts)), None)


def cache_reads(
    shape: Shape, workload: Workload, visible_tokens: int, host_layers: frozenset[int] = frozenset()
) -> tuple[int, int]:
    """Bytes of cache and state that one sequence reads to produce one token, over all ranks and from RAM.

    Raises `WorkloadError` for a kind of layer that is not known, as do the operations below.
    """
    kv_format = workload.kv_format or "f16"
    parts, key, value = _elements(workload.engine, kv_format, workload.kv_v_format or kv_format)
    device: int | Fraction = 0
    host: int | Fraction = 0
    for (mixer, on_host), layers in _mixers(shape, host_layers).items():
        read = _cached(mixer, visible_tokens, key, value) + parts * _state_bytes(mixer)
        size = layers * _copies(mixer, workload.tensor_parallel) * read
        if on_host:
            host += size
        else:
            device += size
    return int(device // parts), int(host // parts)


@lru_cache(maxsize=256)
def _elements(engine: str, key_format: str, value_format: str) -> tuple[int, int, int]:
    """Into how many parts a byte is divided here, and how many of them an element of keys and one of values take: whole
    numbers add up sooner than fractions."""
    key, value = (engine_named(engine).kv_element_bytes(name) for name in (key_format, value_format))
    parts = lcm(key.denominator, value.denominator)
    return parts, int(key * parts), int(value * parts)


def _mixers(shape: Shape, host_layers: frozenset[int] = frozenset()) -> Mapping[tuple[Mixer, bool], int]:
    """How many layers have each mixer, and whether in RAM: models repeat a few mixers many times."""
    return _partly_in_ram(shape, host_layers) if host_layers else _on_cards(shape)


@of_shape
def _on_cards(shape: Shape) -> Mapping[tuple[Mixer, bool], int]:
    return dict(_partly_in_ram(shape, frozenset()))


@lru_cache(maxsize=256)
def _partly_in_ram(shape: Shape, host_layers: frozenset[int]) -> Mapping[tuple[Mixer, bool], int]:
    return Counter((mixer, layer.index in host_layers) for layer in shape.layers for mixer in layer.mixers)


def _copies(mixer: Mixer, ranks: int) -> int | Fraction:
    """How often a cache is held: the latent on every rank, a key/value head on each of the ranks that share it."""
    if isinstance(mixer, LatentAttention):
        return ranks
    if isinstance(mixer, Attention) and ranks > mixer.num_kv_heads:
        return Fraction(ranks, mixer.num_kv_heads)
    return 1


def _cached(mixer: Mixer, visible_tokens: int, key: int, value: int) -> int:
    """What is read of a cache, in the unit of `key` and `value`, the sizes of one element of each."""
    tokens = seen(mixer, visible_tokens)
    if isinstance(mixer, Attention):
        return tokens * mixer.num_kv_heads * (mixer.head_dim * key + mixer.value_head_dim * value)
    if isinstance(mixer, LatentAttention):
        index = visible_tokens * mixer.indexer.head_dim if mixer.indexer is not None else 0
        return (tokens * (mixer.kv_lora_rank + mixer.qk_rope_head_dim) + index) * key
    if isinstance(mixer, CompressedAttention):
        return (tokens * mixer.head_dim + _index_keys(mixer, visible_tokens)) * key
    return 0


def _state_bytes(mixer: Mixer) -> int:
    """Of a state, read and written back."""
    if isinstance(mixer, (Attention, LatentAttention, CompressedAttention)):
        return 0
    if isinstance(mixer, LinearAttention):
        return 2 * STATE_BYTES * mixer.num_value_heads * mixer.key_head_dim * mixer.value_head_dim
    if isinstance(mixer, StateSpace):
        return 2 * STATE_BYTES * mixer.inner_size * mixer.state_size
    if isinstance(mixer, Recurrence):
        return 2 * STATE_BYTES * mixer.state_elements
    if isinstance(mixer, ShortConvolution):
        return 2 * CONVOLUTION_BYTES * (mixer.conv_kernel - 1) * mixer.conv_channels
    raise _unknown(mixer)


def _unknown(mixer: Mixer) -> WorkloadError:
    return WorkloadError("engine", "layer_not_modelled", layer=type(mixer).__name__)


def seen(mixer: Mixer, visible_tokens: int) -> int:
    """Cached rows that this mixer attends to where `visible_tokens` tokens came before: a row a token, as a rule."""
    if isinstance(mixer, FullAttention):  # most are
        return visible_tokens
    if isinstance(mixer, SlidingWindowAttention | WindowedLatentAttention):
        return min(visible_tokens, mixer.window)
    if isinstance(mixer, ChunkedAttention):
        return min(visible_tokens, mixer.chunk)  # at the end of a chunk; just after one it sees a single token
    if isinstance(mixer, CrossAttention):
        return mixer.encoder_tokens
    if isinstance(mixer, LatentAttention) and mixer.indexer is not None:
        return min(visible_tokens, mixer.indexer.top_k)
    if isinstance(mixer, CompressedAttention):
        return min(visible_tokens, mixer.window) + min(*_compressed(mixer, visible_tokens))
    if isinstance(mixer, LatentAttention):
        return visible_tokens
    if isinstance(mixer, (LinearAttention, StateSpace, Recurrence, ShortConvolution)):
        return 0  # what they know of earlier tokens is in their state
    raise _unknown(mixer)


def _index_keys(mixer: CompressedAttention, tokens: int) -> int:
    """Numbers of the keys that an indexer scores, which may be another layer's."""
    if mixer.indexer is None:
        return 0
    kept = tokens // _span(mixer)
    limit = mixer.scored if isinstance(mixer, SharedCompressedAttention) else None
    return (kept if limit is None else min(kept, limit)) * mixer.indexer.head_dim


def _span(mixer: CompressedAttention) -> int:
    """How many tokens one compressed row stands for."""
    return mixer.span if isinstance(mixer, SharedCompressedAttention) else mixer.compression or 1


def _compressed(mixer: CompressedAttention, tokens: int) -> tuple[int, int]:
    """How many blocks of `tokens` tokens are kept as one row each, and how many of them are chosen at most."""
    if isinstance(mixer, SharedCompressedAttention):
        return tokens // mixer.span, mixer.chosen
    blocks = tokens // mixer.compression if mixer.compression else 0
    return blocks, mixer.indexer.top_k if mixer.indexer else blocks


def token_flops(shape: Shape, visible_tokens: int) -> int:
    """Operations to produce one token that sees `visible_tokens`: two per active weight, and the attention itself."""
    return 2 * active_matrix_elements(shape) + sum(
        layers * _attention_flops(mixer, seen(mixer, visible_tokens)) for (mixer, _), layers in _mixers(shape).items()
    )


def prompt_flops(shape: Shape, tokens: int) -> int:
    """Operations to read a prompt: every weight for every token, the output head once, attention to what each sees."""
    head = shape.hidden_size * shape.vocab_size
    weights = 2 * (tokens * (active_matrix_elements(shape) - head) + head)
    return weights + sum(
        layers * _attention_flops(mixer, _pairs(mixer, tokens)) for (mixer, _), layers in _mixers(shape).items()
    )


def _pairs(mixer: Mixer, tokens: int) -> int:
    """Pairs of a token and one that it sees, summed over a prompt."""
    if isinstance(mixer, ChunkedAttention):
        chunks, rest = divmod(tokens, mixer.chunk)
        return chunks * _triangle(mixer.chunk) + _triangle(rest)
    if isinstance(mixer, CrossAttention):
        return tokens * mixer.encoder_tokens
    if isinstance(mixer, CompressedAttention):
        size, most = _span(mixer), min(*_compressed(mixer, tokens))
        grown = size * _triangle(most - 1)  # until so many blocks are full, `size` tokens see each number of them
        return _within(min(tokens, mixer.window), tokens) + grown + most * (tokens - size * most + 1)
    return _within(seen(mixer, tokens), tokens)


def _within(reach: int, tokens: int) -> int:
    """Pairs where a token sees the last `reach` tokens."""
    return _triangle(reach) + (tokens - reach) * reach


def _triangle(tokens: int) -> int:
    return tokens * (tokens + 1) // 2


def _attention_flops(mixer: Mixer, tokens: int) -> int:
    if isinstance(mixer, Attention):
        return 2 * tokens * mixer.num_heads * (mixer.head_dim + mixer.value_head_dim)
    if isinstance(mixer, LatentAttention):
        widths = mixer.qk_nope_head_dim + mixer.qk_rope_head_dim + mixer.value_head_dim
        return 2 * tokens * mixer.num_heads * widths
    if isinstance(mixer, CompressedAttention):
        return 2 * tokens * mixer.num_heads * 2 * mixer.head_dim
    return 0  # a state's own arithmetic is left out


@of_shape
def active_matrix_elements(shape: Shape) -> int:
    """Weights that multiply each token, the output head among them, the embedding's lookup not."""
    total = 0
    for tensor in shape.tensors_of("text"):
        if tensor.kind != "weight" or len(tensor.shape) < 2:
            continue
        if category(tensor.role) == "embedding" and not shape.tied_embeddings:
            continue
        feed_forward = shape.layers[tensor.layer].feed_forward if tensor.layer is not None else None
        if tensor.routed and isinstance(feed_forward, Experts):
            total += tensor.elements // tensor.shape[0] * feed_forward.active(tensor.role)
        else:
            total += tensor.elements
    return total
