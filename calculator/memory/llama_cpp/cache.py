"""The KV cache, cell by cell (`src/llama-kv-cache*.cpp`, `create_memory` in `src/llama-model.cpp`)."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import NamedTuple

from calculator.architecture.known import learned_of_shape, of_shape
from calculator.architecture.shape import (
    Attention,
    ChunkedAttention,
    CompressedAttention,
    FullAttention,
    IndexedAttention,
    LatentAttention,
    Layer,
    LinearAttention,
    Shape,
    ShortConvolution,
    SlidingWindowAttention,
    StateSpace,
    WindowedLatentAttention,
)
from calculator.memory.blocks import divides, row_bytes
from calculator.memory.llama_cpp.batch import micro_batch, pad, sharing, streams
from calculator.memory.llama_cpp.flash import off_from_the_start, uses_flash
from calculator.memory.llama_cpp.placement import Placement, evenly, is_even
from calculator.memory.llama_cpp.presets import KV_TYPE, UNQUANTISED
from calculator.memory.llama_cpp.support import DECOMPRESSES_LATENT, keeps_windows
from calculator.memory.workload import Term, Workload, WorkloadError


class Row(NamedTuple):
    """What a layer keeps in a cell, one for `tokens` tokens. `window` is 0 where it keeps the whole context."""

    key: str
    heads: int
    key_size: int
    value_size: int  # 0 where values are part of the keys
    window: int = 0
    tokens: int = 1


def cells(row: Row, workload: Workload) -> int:
    """Cells per stream. A window's cache also holds the micro-batch being written (`llama-kv-cache-iswa.cpp`)."""
    whole = pad(workload.context_tokens)
    if row.window and not workload.swa_full:
        return pad(min(whole, row.window * sharing(workload) + micro_batch(workload)))
    return pad(-(-whole // row.tokens))


@of_shape
def rows_by_layer(shape: Shape) -> tuple[tuple[Row, ...], ...]:
    """The rows that every layer keeps; empty where it keeps none or reads an earlier layer's.

    Raises WorkloadError for a kind of layer that llama.cpp does not run.
    """
    return tuple(tuple(_rows(shape, layer)) for layer in shape.layers)


@of_shape
def _of_indexers(shape: Shape) -> frozenset[tuple[int | None, str]]:
    """Layers and roles of their tensors."""
    text = shape.tensors_of("text")
    return frozenset((tensor.layer, tensor.role) for tensor in text if tensor.role.startswith("indexer"))


def _rows(shape: Shape, layer: Layer) -> list[Row]:
    rows: list[Row] = []
    for mixer in layer.mixers if layer.shares_kv_of is None else ():
        match mixer:
            case WindowedLatentAttention():
                raise WorkloadError("engine", "layer_not_supported", layer=type(mixer).__name__)
            case LatentAttention():
                rows += _latent(shape, mixer)
                if mixer.indexer and (layer.index, "indexer.attn_k") in (roles := _of_indexers(shape)):
                    pooled = (layer.index, "indexer_compressor_gate") in roles  # key, gate and pooled key of GLM-5.3
                    rows.append(Row("cells_indexer", 1, mixer.indexer.head_dim * (3 if pooled else 1), 0))
            case CompressedAttention():
                rows += _compressed(mixer)
            case IndexedAttention():  # the indexer's cache has values too, which nothing reads
                rows += [_plain(shape, mixer), Row("cells_indexer", 1, mixer.indexer.head_dim, mixer.value_head_dim)]
            case FullAttention() | SlidingWindowAttention() | ChunkedAttention():
                rows.append(_plain(shape, mixer))
            case LinearAttention() | StateSpace() | ShortConvolution():
                pass  # a state, and no cells
            case _:
                raise WorkloadError("engine", "layer_not_supported", layer=type(mixer).__name__)
    return rows


def _plain(shape: Shape, mixer: Attention) -> Row:
    row = Row("cells_full", mixer.num_kv_heads, mixer.head_dim, mixer.value_head_dim)
    if not keeps_windows(shape):
        return row
    if isinstance(mixer, SlidingWindowAttention):
        return row._replace(key="cells_sliding", window=mixer.window)
    if isinstance(mixer, ChunkedAttention):
        return row._replace(key="cells_chunked", window=mixer.chunk)
    return row


def _latent(shape: Shape, mixer: LatentAttention) -> list[Row]:
    if shape.model_type in DECOMPRESSES_LATENT:
        key_size = mixer.qk_nope_head_dim + mixer.qk_rope_head_dim
        return [Row("cells_full", mixer.num_heads, key_size, mixer.value_head_dim)]
    return [Row("cells_latent", 1, mixer.kv_lora_rank + mixer.qk_rope_head_dim, 0)]


def _compressed(mixer: CompressedAttention) -> list[Row]:
    """DeepSeek-V4 (`llama-kv-cache-dsv4.cpp`): a window of latents, and one for every so many tokens."""
    rows = [Row("cells_sliding", 1, mixer.head_dim, 0, window=mixer.window)]
    if mixer.compression:
        rows.append(Row("cells_compressed", 1, mixer.head_dim, 0, tokens=mixer.compression))
        if mixer.indexer:
            rows.append(Row("cells_compressed", 1, mixer.indexer.head_dim, 0, tokens=mixer.compression))
    return rows


@of_shape
def offered_formats(shape: Shape) -> tuple[str, ...]:
    """Formats whose block divides the head sizes (`llama_init_from_model`)."""
    sizes = {size for rows in rows_by_layer(shape) for row in rows for size in (row.key_size, row.value_size)}
    return tuple(name for name, type_ in KV_TYPE.items() if all(divides(type_, size) for size in sizes))


def check_cache(shape: Shape, workload: Workload, values: str = "kv_v_format") -> None:
    """Raises WorkloadError for formats that no context is made with (`llama_init_from_model`). `values` is the field
    that sets the format of values there."""
    keys_are, values_are = workload.kv_format, workload.kv_v_format
    if not uses_flash(shape, workload) and values_are not in UNQUANTISED:
        raise WorkloadError("flash_attention", "quantised_values", value=values_are)
    if values_are != keys_are and _keeps_latents(shape):
        raise WorkloadError(values, "same_as_keys", value=values_are, keys=keys_are)


def _keeps_latents(shape: Shape) -> bool:
    latent = any(
        isinstance(mixer, LatentAttention | CompressedAttention) for layer in shape.layers for mixer in layer.mixers
    )
    return latent and shape.model_type not in DECOMPRESSES_LATENT


def cache_terms(shape: Shape, workload: Workload, layers: tuple[int, ...]) -> tuple[Term, ...]:
    """One term per kind of row, over `layers`."""
    padded = widest_values(shape) if off_from_the_start(shape, workload) else 0
    return tuple(_term(row, number, workload, padded) for row, number in _counted(shape, layers))


def cache_bytes(shape: Shape, workload: Workload, placement: Placement) -> list[int]:
    """What `cache_terms` add up to on each card."""
    padded = widest_values(shape) if off_from_the_start(shape, workload) else 0
    counted = _counted_on(shape, placement)
    of_a_layer = {
        row: streams(workload) * cells(row, workload) * _cell_bytes(row, workload, padded)
        for row in {row for card in counted for row, _ in card}
    }
    return [sum([number * of_a_layer[row] for row, number in card]) for card in counted]


def _counted_on(shape: Shape, placement: Placement) -> tuple[tuple[tuple[Row, int], ...], ...]:
    if is_even(placement, shape.num_layers):
        return _counted_evenly(shape, len(placement.cards))
    return tuple(_counted(shape, layers) for layers in placement.cards)


@learned_of_shape
def _counted_evenly(shape: Shape, cards: int) -> tuple[tuple[tuple[Row, int], ...], ...]:
    return tuple(_counted(shape, layers) for layers in evenly(shape.num_layers, cards).cards)


@lru_cache(maxsize=1024)
def _counted(shape: Shape, layers: tuple[int, ...]) -> tuple[tuple[Row, int], ...]:
    """How many of `layers` keep each kind of row."""
    by_layer = rows_by_layer(shape)
    counted = Counter(row for index in layers for row in by_layer[index])
    return tuple((row, counted[row]) for row in sorted(counted, key=lambda row: (row.window > 0, row.key)))


@of_shape
def widest_values(shape: Shape) -> int:
    """Values of one cell in the layer that keeps the most: without flash attention, which lays them out by dimension,
    all layers are padded to it (`TAG_V_CACHE_VARIABLE` in `src/llama-kv-cache.cpp`)."""
    return max((row.heads * row.value_size for rows in rows_by_layer(shape) for row in rows), default=0)


def _formats(workload: Workload) -> tuple[str, str]:
    """Of keys and of values."""
    return workload.kv_format or "f16", workload.kv_v_format or "f16"


def _cell_bytes(row: Row, workload: Workload, padded: int) -> int:
    k_format, v_format = _formats(workload)
    per_cell = row_bytes(KV_TYPE[k_format], row.heads * row.key_size)
    if row.value_size:
        per_cell += row_bytes(KV_TYPE[v_format], max(row.heads * row.value_size, padded))
    return per_cell


def _term(row: Row, layers: int, workload: Workload, padded: int) -> Term:
    k_format, v_format = _formats(workload)
    kept, per_cell = cells(row, workload), _cell_bytes(row, workload, padded)
    values: dict[str, int | str] = {
        "layers": layers,
        "sequences": streams(workload),
        "cells": kept,
        "heads": row.heads,
        "key_size": row.key_size,
        "value_size": row.value_size,
        "key_format": k_format,
        "value_format": v_format,
        "cell_bytes": per_cell,
    }
    if row.window:
        values |= {"window": row.window, "micro_batch": micro_batch(workload)}
    if row.key == "cells_compressed":
        values["tokens"] = row.tokens
    return Term(row.key, values, layers * streams(workload) * kept * per_cell)
