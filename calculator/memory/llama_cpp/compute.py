"""The compute buffers of `llama-server` on CUDA, and what its graph keeps in pinned memory.

`ggml_gallocr` (`ggml/src/ggml-alloc.c`) lays the tensors of a graph over each other, so a buffer is a maximum, not a
sum. `graph/` builds the graphs as `src/models/*.cpp` do and runs that allocator over them. Rows of logits are reserved
for one token per slot (`n_outputs_max`, `tools/server/server-context.cpp`). Kinds of layers that `graph/` does not know
are answered by the closed rule of `widths.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from calculator.architecture.known import of_shape
from calculator.architecture.shape import Indexer, LatentAttention, Shape
from calculator.memory.llama_cpp import widths
from calculator.memory.llama_cpp.batch import micro_batch, pad, slot_count, streams
from calculator.memory.llama_cpp.cache import cells
from calculator.memory.llama_cpp.flash import off_from_the_start, runs_on_card, uses_flash
from calculator.memory.llama_cpp.graph import (
    Handed,
    NotTracedError,
    Peak,
    Setting,
    attends_at_home,
    cache_kinds,
    told_peaks,
    trace,
)
from calculator.memory.llama_cpp.own_file import share
from calculator.memory.llama_cpp.placement import Placement
from calculator.memory.llama_cpp.prediction import in_file, output_rows, snapshots
from calculator.memory.llama_cpp.presets import KV_TYPE, UNQUANTISED
from calculator.memory.llama_cpp.weights import copy_bytes, file_bytes, recipe_of
from calculator.memory.workload import Term, Workload


def setting_of(shape: Shape, workload: Workload, placement: Placement) -> Setting:
    """Left to itself (`-fa auto`), flash attention is given up where a layer's would run elsewhere than the layer."""
    setting = _setting(shape, workload)
    if not setting.flash or workload.flash_attention is not None or setting.values_rotated or not placement.ram:
        return setting
    try:
        return setting if attends_at_home(shape, setting, placement) else setting._replace(flash=False)
    except NotTracedError:
        return setting


@lru_cache(maxsize=1024)
def _setting(shape: Shape, workload: Workload) -> Setting:
    keys, values = workload.kv_format or "f16", workload.kv_v_format or workload.kv_format or "f16"
    sequences = slot_count(workload)
    tokens = -(-micro_batch(workload) // sequences) * sequences  # `graph_reserve` rounds up
    cuda = workload.back_end is None  # Metal and Vulkan read a quantised cache as it is stored
    return Setting(
        tokens=tokens,
        sequences=sequences,
        streams=streams(workload),
        flash=uses_flash(shape, workload),
        in_ram=uses_flash(shape, workload) and not runs_on_card(shape, workload),
        transposed=off_from_the_start(shape, workload),
        keys_copied=cuda and keys not in ("f16", "f32"),
        values_copied=cuda and values not in ("f16", "f32"),
        keys_rotated=keys not in UNQUANTISED,
        values_rotated=values not in UNQUANTISED,
        outputs=min(tokens, output_rows(workload)),
        snapshots=snapshots(shape, workload),
        top_k=min(_top_k(shape), pad(workload.context_tokens)),
        back_end="cuda" if workload.back_end in (None, "other") else workload.back_end,
        hands_on=workload.mtp > 0,
        key_type=KV_TYPE[keys],
        value_type=KV_TYPE[values],
    )


@of_shape
def _top_k(shape: Shape) -> int:
    found = (mixer.indexer for layer in shape.layers for mixer in layer.mixers if isinstance(mixer, LatentAttention))
    return max((indexer.top_k for indexer in found if isinstance(indexer, Indexer)), default=0)


def card_terms(
    shape: Shape, workload: Workload, setting: Setting, placement: Placement, card: int, copies: int
) -> tuple[Term, ...]:
    """The compute buffer of one card."""
    try:
        traced = trace(shape, setting, placement, copies)
    except NotTracedError:
        return widths.card_terms(shape, workload, setting, copies)
    columns = _columns(shape, workload)
    found = traced.peaks[card].at(columns, _copied_bytes(shape, workload, traced.weights))
    return _explained(shape, setting, columns, found, traced.copied[card], copies)


def card_bytes(
    shape: Shape, workload: Workload, setting: Setting, placement: Placement, cards: Iterable[int], copies: int
) -> list[int]:
    """What `card_terms` add up to on each of `cards`."""
    columns = _columns(shape, workload)
    try:
        if (told := told_peaks(shape, setting, placement, copies, columns)) is not None:
            return [told[card] for card in cards]
        traced = trace(shape, setting, placement, copies)
    except NotTracedError:
        return [sum(term.bytes for term in widths.card_terms(shape, workload, setting, copies)) for _ in cards]
    copied = _copied_bytes(shape, workload, traced.weights)
    of_each = [traced.peaks[card] for card in cards]
    at = {peaks: peaks.at(columns, copied).bytes for peaks in dict.fromkeys(of_each)}  # the same happens on several
    return [at[peaks] for peaks in of_each]


def _columns(shape: Shape, workload: Workload) -> list[int]:
    """Cells of every cache that has a mask of its own."""
    return [cells(row, workload) for row in cache_kinds(shape)] or [0]


def _copied_bytes(shape: Shape, workload: Workload, weights: Sequence[tuple[str, int | None]]) -> list[int]:
    """Bytes of the weights in RAM."""
    if not weights:
        return []
    recipe, stored = recipe_of(workload), in_file(shape, workload)
    sizes = [copy_bytes(stored, recipe, role, layer) for role, layer in weights]
    if workload.file_bytes is None:
        return sizes
    whole = file_bytes(stored, recipe)
    return [share(size, workload.file_bytes, whole) for size in sizes]


def _explained(
    shape: Shape, setting: Setting, columns: Sequence[int], found: Peak, handed: Sequence[Handed], copies: int
) -> tuple[Term, ...]:
    """The masks, what is handed from card to card, the one tensor that grows with the context, and all the rest."""
    terms = []
    width = 2 if setting.flash else 4
    masks = sum([tensor.size.per_cell * columns[tensor.size.cache] for tensor in handed if tensor.is_mask])
    if masks:
        cells_masked = masks // (copies * setting.tokens * width)
        values = {"rows": setting.tokens, "cells": cells_masked, "copies": copies, "bytes": width}
        terms.append(Term("attention_masks", values, masks))
    extent = (shape.hidden_size, setting.tokens, 1, 1)
    hidden = sum([tensor.extent == extent for tensor in handed])
    if copies > 1 and hidden:
        values = {"copies": hidden, "rows": setting.tokens, "hidden_size": shape.hidden_size}
        terms.append(Term("hidden_states_handed", values, 4 * hidden * setting.tokens * shape.hidden_size))
    widest = found.widest
    copied = setting.keys_copied or setting.values_copied
    if widest.per_cell and widest.cache < len(columns) and (copied or not setting.flash):
        number = columns[widest.cache]
        key = "cache_as_f16" if setting.flash else "attention_scores"
        terms.append(Term(key, {"cells": number, "bytes": widest.per_cell}, number * widest.per_cell))
    rest = found.bytes - sum(term.bytes for term in terms)
    return (Term("graph_at_work", {"rows": setting.tokens}, rest), *terms)


def host_terms(
    shape: Shape, workload: Workload, setting: Setting, placement: Placement, copies: int, key: str = "graph_inputs"
) -> tuple[Term, ...]:
    """What the CPU hands to the cards, in pinned memory: tokens, masks and positions, the tokens embedded; and what
    it works out itself where layers stay in RAM."""
    columns = _columns(shape, workload)
    values = {"copies": copies, "rows": setting.tokens, "cells": sum(columns), "hidden_size": shape.hidden_size}
    try:
        traced = trace(shape, setting, placement, copies)
    except NotTracedError:
        embedded = 4 * setting.tokens * shape.hidden_size
        return (Term(key, values, copies * (embedded + 2 * setting.tokens * sum(columns)) + embedded),)
    return (Term(key, values, traced.peaks[-1].at(columns, _copied_bytes(shape, workload, traced.weights)).bytes),)
