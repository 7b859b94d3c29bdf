"""What a graph builder reads of a layer. Equal layers share one spec."""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from typing import NamedTuple

from calculator.architecture.known import of_shape
from calculator.architecture.shape import (
    ChunkedAttention,
    FeedForward,
    Layer,
    LinearAttention,
    Mixer,
    Shape,
    SlidingWindowAttention,
)
from calculator.memory.llama_cpp.cache import Row, rows_by_layer, widest_values
from calculator.memory.llama_cpp.graph.builder import Cached, NotTracedError
from calculator.memory.llama_cpp.graph.styles import style_of


class LayerSpec(NamedTuple):
    """`roles` are the layer's weights with their shapes, `biases` the roles of its biases and buffers."""

    mixers: tuple[Mixer, ...]
    feed_forward: FeedForward | None
    roles: tuple[tuple[str, tuple[int, ...]], ...]
    biases: frozenset[str]
    cached: tuple[Cached, ...]
    shares: bool
    rotary: bool
    stretched: int = 0  # factors by which a scaled context turns each angle slower

    @property
    def indexed(self) -> bool:
        return any(role == "indexer.attn_k" for role, _ in self.roles)


Kind = tuple[bool, int, int, bool]


def _kind(row: Row) -> Kind:
    return row.window > 0, row.window, row.tokens, row.key == "cells_indexer"


@of_shape
def cache_kinds(shape: Shape) -> tuple[Row, ...]:
    """One row of every cache with a mask of its own: the whole context first, then windows, an indexer's."""
    found: dict[Kind, Row] = {}
    for rows in rows_by_layer(shape):
        for row in rows:
            found.setdefault(_kind(row), row)
    return tuple(found[kind] for kind in sorted(found))


@lru_cache(maxsize=64)
def layer_specs(shape: Shape) -> tuple[LayerSpec, ...]:
    """Raises NotTracedError where a layer has weights that no builder here knows."""
    kinds = [_kind(row) for row in cache_kinds(shape)]
    roles: defaultdict[int, list[tuple[str, tuple[int, ...]]]] = defaultdict(list)
    biases: defaultdict[int, set[str]] = defaultdict(set)
    for tensor in shape.tensors_of("text"):
        if tensor.layer is None:
            continue
        if tensor.role.startswith(_STRANGE) or tensor.role in _STRANGE_ROLES:
            raise NotTracedError(tensor.role)
        if tensor.kind == "weight":
            roles[tensor.layer].append((tensor.role, tensor.shape))
        else:
            biases[tensor.layer].add(tensor.role)
    style = style_of(shape.model_type)
    rows, widest = rows_by_layer(shape), widest_values(shape)
    known: dict[LayerSpec, LayerSpec] = {}
    specs = []
    for layer in shape.layers:
        if any(isinstance(m, LinearAttention) and m.kind not in _TRACED_LINEAR for m in layer.mixers):
            raise NotTracedError("LinearAttention")
        source = layer.index if layer.shares_kv_of is None else layer.shares_kv_of
        cached = tuple(
            Cached(kinds.index(_kind(row)), row.heads, row.key_size, row.value_size, widest) for row in rows[source]
        )
        spec = LayerSpec(
            layer.mixers,
            layer.feed_forward,
            tuple(roles[layer.index]),
            frozenset(biases[layer.index]),
            cached,
            layer.shares_kv_of is not None,
            _rotates(style.rotary, layer),
            _factors(shape, layer),
        )
        specs.append(known.setdefault(spec, spec))
    return tuple(specs)


def _rotates(where: str, layer: Layer) -> bool:
    if where == "windowed":
        return any(isinstance(mixer, SlidingWindowAttention | ChunkedAttention) for mixer in layer.mixers)
    return where == "all" or (where == "three_of_four" and (layer.index + 1) % 4 != 0)


def _factors(shape: Shape, layer: Layer) -> int:
    """Factors of a scaled context for this layer's angles, one for every two numbers."""
    windowed = any(isinstance(mixer, SlidingWindowAttention) for mixer in layer.mixers)
    own = [table for table in shape.rotary if (table.kind == "sliding_attention") == windowed] or shape.rotary
    return max((table.dimensions // 2 for table in own if table.by_factors), default=0)


_STRANGE = ("hc_", "altup_", "laurel_", "attn_res_", "indexer_compressor", "attn_compressor", "cross_")
_STRANGE_ROLES = frozenset({"indexer.q_proj", "attn_qkv_norm", "attn_rel_b"})
_TRACED_LINEAR = frozenset({"gated_delta"})
