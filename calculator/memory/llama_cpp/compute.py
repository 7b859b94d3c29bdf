"""The compute buffers of `llama-server` on CUDA, and what its graph keeps in pinned memory.

`ggml_gallocr` (`ggml/src/ggml-alloc.c`) lays the tensors of a graph over each other, so a buffer is a maximum, not a
sum. `graph/` builds the graphs as `src/models/*.cpp` do and runs that allocator over them. Rows of logits are reserved
for one token per slot (`n_outputs_max`, `tools/server/server-context.cpp`). Kinds of layers that `graph/` does not know
are answered by the closed rule of `widths.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from calculator.architecture.shape import Indexer, LatentAttention, Shape
from calculator.memory.llama_cpp import widths
from calculator.memory.llama_cpp.batch import micro_batch, pad, slot_count, streams
from calculator.memory.llama_cpp.cache import cells
from calculator.memory.llama_cpp.flash import runs_on_card, uses_flash
from calculator.memory.llama_cpp.graph import (
    NotTracedError,
    Peak,
    Setting,
    Share,
    cache_kinds,
    deepstack,
    trace,
)
from calculator.memory.llama_cpp.mixture import Recipe
from calculator.memory.llama_cpp.placement import Placement
from calculator.memory.llama_cpp.prediction import in_file, output_rows, snapshots
from calculator.memory.llama_cpp.presets import KV_TYPE
from calculator.memory.llama_cpp.weights import largest_bytes
from calculator.memory.workload import Term, Workload

PIPELINE_COPIES = 4  # `GGML_SCHED_MAX_COPIES`: several cards work on several micro-batches at once
UNQUANTISED = frozenset({"f32", "f16", "bf16"})


def setting_of(shape: Shape, workload: Workload) -> Setting:
    keys, values = workload.kv_format or "f16", workload.kv_v_format or workload.kv_format or "f16"
    sequences = slot_count(workload)
    tokens = -(-micro_batch(workload) // sequences) * sequences  # `graph_reserve` rounds up
    return Setting(
        tokens=tokens,
        sequences=sequences,
        streams=streams(workload),
        flash=uses_flash(shape, workload),
        in_ram=uses_flash(shape, workload) and not runs_on_card(shape),
        transposed=workload.flash_attention is False,
        keys_copied=keys not in ("f16", "f32"),
        values_copied=values not in ("f16", "f32"),
        keys_rotated=keys not in UNQUANTISED,
        values_rotated=values not in UNQUANTISED,
        outputs=min(tokens, output_rows(workload)),
        snapshots=snapshots(shape, workload),
        top_k=min(_top_k(shape), pad(workload.context_tokens)),
        key_type=KV_TYPE[keys],
        value_type=KV_TYPE[values],
    )


@lru_cache(maxsize=256)
def _top_k(shape: Shape) -> int:
    found = (mixer.indexer for layer in shape.layers for mixer in layer.mixers if isinstance(mixer, LatentAttention))
    return max((indexer.top_k for indexer in found if isinstance(indexer, Indexer)), default=0)


def share_of(placement: Placement, card: int, num_layers: int) -> Share:
    """A card works on its own layers; the first one also on those in RAM, with weights copied for the purpose."""
    layers = placement.cards[card]
    last = layers[-1] + 1 if layers else num_layers
    start = 0 if card == 0 else layers[0] if layers else num_layers
    in_ram = len(placement.ram) if card == 0 else 0
    return Share(start, last, copies_of(placement), in_ram, placement.experts_in_ram)


def copies_of(placement: Placement) -> int:
    """Of a graph's inputs: several cards work one behind the other, unless something lies in RAM."""
    offloaded = placement.ram or placement.experts_in_ram
    return PIPELINE_COPIES if len(placement.cards) > 1 and not offloaded else 1


def card_terms(shape: Shape, workload: Workload, setting: Setting, share: Share) -> tuple[Term, ...]:
    """The compute buffer of one card."""
    try:
        traced = trace(shape, setting, share)
    except NotTracedError:
        return widths.card_terms(shape, workload, setting, share)
    columns = _columns(shape, workload)
    copied = [_copied_bytes(shape, workload, share, role) for role in traced.copied]
    found = traced.peaks.at(columns, copied)
    masks = sum(tensor.size.per_cell * columns[tensor.size.cache] for tensor in traced.inputs if tensor.is_mask)
    return _explained(shape, setting, share, columns, found, traced.handed, masks)


def _columns(shape: Shape, workload: Workload) -> list[int]:
    """Cells of every cache that has a mask of its own."""
    return [cells(row, workload) for row in cache_kinds(shape)] or [0]


def _copied_bytes(shape: Shape, workload: Workload, share: Share, role: str) -> int:
    layers = max(share.layers_in_ram, share.experts_in_ram) if role.endswith("_exps") else share.layers_in_ram
    recipe = Recipe(workload.weight_format or "Q4_K_M", workload.importance_matrix)
    return largest_bytes(in_file(shape, workload), recipe, role, layers)


def _explained(
    shape: Shape, setting: Setting, share: Share, columns: Sequence[int], found: Peak, handed: int, masks: int
) -> tuple[Term, ...]:
    """The masks, what is handed from card to card, the one tensor that grows with the context, and all the rest."""
    terms = []
    width = 2 if setting.flash else 4
    if masks:
        cells_masked = masks // (setting.tokens * width)
        values = {"rows": setting.tokens, "cells": cells_masked, "copies": share.copies, "bytes": width}
        terms.append(Term("attention_masks", values, masks * share.copies))
    if share.copies > 1 and handed:
        values = {"copies": handed, "rows": setting.tokens, "hidden_size": shape.hidden_size}
        terms.append(Term("hidden_states_handed", values, 4 * handed * setting.tokens * shape.hidden_size))
    widest = found.widest
    copied = setting.keys_copied or setting.values_copied
    if widest.per_cell and widest.cache < len(columns) and (copied or not setting.flash):
        number = columns[widest.cache]
        key = "cache_as_f16" if setting.flash else "attention_scores"
        terms.append(Term(key, {"cells": number, "bytes": widest.per_cell}, number * widest.per_cell))
    rest = found.bytes - sum(term.bytes for term in terms)
    return (Term("graph_at_work", {"rows": setting.tokens}, rest), *terms)


def host_terms(shape: Shape, workload: Workload, setting: Setting, placement: Placement) -> tuple[Term, ...]:
    """What the CPU hands to the cards, in pinned memory: tokens, masks and positions, and the tokens embedded."""
    columns, share = _columns(shape, workload), share_of(placement, 0, shape.num_layers)
    copies = share.copies
    if len(placement.cards) > 1 or placement.ram:
        share = Share(0, shape.num_layers)
    embedded = 4 * setting.tokens * shape.hidden_size
    inputs = _inputs(shape, setting, share, columns, embedded)
    inputs += deepstack(shape) * embedded  # room for features of images, also where only text is read
    values = {"copies": copies, "rows": setting.tokens, "cells": sum(columns), "hidden_size": shape.hidden_size}
    return (Term("graph_inputs", values, copies * (inputs + 4 * setting.tokens) + embedded),)


def prediction_host_terms(shape: Shape, workload: Workload, setting: Setting, copies: int) -> tuple[Term, ...]:
    """The same for the context of multi-token prediction: hidden states take the place of embeddings handed in."""
    columns, handed = _columns(shape, workload), 2 * 4 * setting.tokens * shape.hidden_size
    inputs = _inputs(shape, setting, Share(0, shape.num_layers), columns, handed)
    values = {"copies": copies, "rows": setting.tokens, "cells": sum(columns), "hidden_size": shape.hidden_size}
    return (Term("prediction_inputs", values, copies * (inputs + 4 * setting.tokens)),)


def _inputs(shape: Shape, setting: Setting, share: Share, columns: Sequence[int], handed: int) -> int:
    """Bytes of a graph's inputs; of one that is not known, masks and what is `handed` to it."""
    try:
        return sum(
            tensor.size.fixed + tensor.size.per_cell * columns[tensor.size.cache]
            for tensor in trace(shape, setting, share).inputs
        )
    except NotTracedError:
        return handed + 2 * setting.tokens * sum(columns)
