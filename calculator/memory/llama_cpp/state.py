"""Recurrent state: two F32 rows per layer and sequence (`n_embd_r`, `n_embd_s` in `src/llama-hparams.cpp`)."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import NamedTuple

from calculator.architecture.known import learned_of_shape
from calculator.architecture.shape import (
    Attention,
    CompressedAttention,
    LatentAttention,
    LinearAttention,
    Mixer,
    Shape,
    ShortConvolution,
    StateSpace,
)
from calculator.memory.llama_cpp.placement import Placement, evenly, is_even
from calculator.memory.workload import Term, WorkloadError


class State(NamedTuple):
    convolution: int  # elements
    state: int


@lru_cache(maxsize=64)
def states_by_layer(shape: Shape) -> tuple[tuple[State, ...], ...]:
    """What every layer keeps for a sequence. Raises WorkloadError for a kind of layer that llama.cpp does not run."""
    return tuple(tuple(_states(shape, layer.mixers)) for layer in shape.layers)


def _states(shape: Shape, mixers: tuple[Mixer, ...]) -> list[State]:
    found = []
    for mixer in mixers:
        match mixer:
            case StateSpace():
                groups = 0 if mixer.version == 1 else mixer.num_groups
                channels = mixer.inner_size + 2 * groups * mixer.state_size
                found.append(State((mixer.conv_kernel - 1) * channels, mixer.inner_size * mixer.state_size))
            case LinearAttention():
                convolution = max(mixer.conv_kernel - 1, 0) * mixer.conv_channels
                found.append(State(convolution, mixer.num_value_heads * mixer.key_head_dim * mixer.value_head_dim))
            case ShortConvolution():
                found.append(State((mixer.conv_kernel - 1) * shape.hidden_size, 0))
            case CompressedAttention(compression=tokens) if tokens:
                found.append(State(0, _compressor(mixer.head_dim, tokens, mixer.indexer is not None)))
                if mixer.indexer:
                    found.append(State(0, _compressor(mixer.indexer.head_dim, tokens, True)))
            case Attention() | LatentAttention() | CompressedAttention():
                pass  # cells, and no state
            case _:
                raise WorkloadError("engine", "layer_not_supported", layer=type(mixer).__name__)
    return found


def _compressor(size: int, tokens: int, overlaps: bool) -> int:
    """Keys and scores of the tokens that DeepSeek-V4 has still to compress (`llama_dsv4_comp_state`).

    Overlapping blocks keep twice as many, twice as wide.
    """
    return 2 * size * tokens * (4 if overlaps else 1)


@lru_cache(maxsize=1024)
def state_terms(shape: Shape, sequences: int, layers: tuple[int, ...], snapshots: int = 1) -> tuple[Term, ...]:
    """One term per kind of state, over `layers`; `snapshots` of each state are kept."""
    by_layer = states_by_layer(shape)
    counted = Counter(state for index in layers for state in by_layer[index])
    return tuple(_term(kept, number, sequences, snapshots) for kept, number in counted.items())


def state_bytes(shape: Shape, sequences: int, placement: Placement, snapshots: int = 1) -> list[int]:
    """What `state_terms` add up to on each card."""
    if is_even(placement, shape.num_layers):
        return [size * sequences * snapshots for size in _evenly(shape, len(placement.cards))]
    return [_sum(state_terms(shape, sequences, layers, snapshots)) for layers in placement.cards]


@learned_of_shape
def _evenly(shape: Shape, cards: int) -> tuple[int, ...]:
    """Of one sequence and one snapshot, on cards that get equal shares."""
    return tuple(_sum(state_terms(shape, 1, layers)) for layers in evenly(shape.num_layers, cards).cards)


def _sum(terms: tuple[Term, ...]) -> int:
    return sum(term.bytes for term in terms)


def _term(kept: State, layers: int, sequences: int, snapshots: int) -> Term:
    values = {"layers": layers, "sequences": sequences, "convolution": kept.convolution, "state": kept.state}
    bytes_ = layers * sequences * snapshots * 4 * (kept.convolution + kept.state)
    if snapshots == 1:
        return Term("state_f32", values, bytes_)
    return Term("state_snapshots", {**values, "snapshots": snapshots}, bytes_)
