"""What a reader must know beside the numbers."""

from __future__ import annotations

from functools import lru_cache

from calculator.architecture.shape import Shape, SlidingWindowAttention
from calculator.memory.llama_cpp.batch import is_unified, micro_batch, slot_count
from calculator.memory.llama_cpp.draft import KV_FORMAT, graph_is_known
from calculator.memory.llama_cpp.flash import runs_on_card, uses_flash
from calculator.memory.llama_cpp.mixture import VERY_LOW
from calculator.memory.llama_cpp.placement import place
from calculator.memory.llama_cpp.support import keeps_windows
from calculator.memory.llama_cpp.weights import slots_of
from calculator.memory.workload import Note, Workload

BUILD = "2026-10"
# `tensor_requires_imatrix` in `src/llama-quant.cpp`: `llama-quantize` refuses to make these without one.
NEEDS_IMPORTANCE_MATRIX = VERY_LOW | {"IQ3_XXS", "IQ3_XS", "Q2_K_S"}

PREDICTION_CHECKED = frozenset({"qwen3_5_text"})
"""Model types whose second context llama-server was asked about."""
COMPARED_ON_ONE_CARD = frozenset({"metal", "vulkan"})
"""Back ends of `llama_back_ends.jsonl`, whose runs have all layers on one card."""


def notes(shape: Shape, workload: Workload) -> tuple[Note, ...]:
    found = [Note("llama_cpp_build", {"build": BUILD, "micro_batch": micro_batch(workload)}), *_of_model(shape)]
    if workload.weight_format in NEEDS_IMPORTANCE_MATRIX and not workload.importance_matrix:
        found.append(Note("needs_importance_matrix", {"format": str(workload.weight_format)}))
    if workload.file_bytes is not None:
        found.append(Note("own_file", {"format": str(workload.weight_format)}))
    number = slot_count(workload)
    if is_unified(workload) and number > 1:
        found.append(Note("slots_share_context", {"sequences": number, "context": workload.context_tokens}))
    elif number > 1:
        found.append(Note("own_cache_per_sequence", {"sequences": number, "context": workload.context_tokens}))
    if not uses_flash(shape, workload):
        found.append(Note("without_flash_attention"))
    elif not runs_on_card(shape, workload):
        found.append(Note("flash_attention_in_ram"))
    if workload.back_end is not None:
        found.append(Note(f"back_end_{workload.back_end}"))
    if workload.back_end in COMPARED_ON_ONE_CARD and not _all_on_one_card(shape, workload):
        found.append(Note("back_end_not_compared"))
    found += _of_prediction(shape, workload)
    if shape.context_tokens is not None and workload.context_tokens > shape.context_tokens:
        found.append(Note("context_above_model", {"context": workload.context_tokens, "most": shape.context_tokens}))
    return tuple(found)


def _all_on_one_card(shape: Shape, workload: Workload) -> bool:
    where = place(workload, shape.num_layers)
    return workload.stages == 1 and not (where.ram or where.experts_in_ram or where.output_in_ram)


def _of_prediction(shape: Shape, workload: Workload) -> list[Note]:
    if not workload.mtp:
        return []
    found = [
        Note("predicts_in_second_context", {"tokens": workload.mtp, "format": workload.draft_kv_format or KV_FORMAT})
    ]
    if not graph_is_known(shape):
        found.append(Note("prediction_graph_not_known"))
    elif shape.model_type not in PREDICTION_CHECKED or not _all_on_one_card(shape, workload):
        found.append(Note("prediction_not_checked"))
    return found


@lru_cache(maxsize=64)
def _of_model(shape: Shape) -> tuple[Note, ...]:
    found = [Note("tied_embedding_twice" if slots_of(shape).traits.tied else "embedding_in_ram")]
    windows = [m.window for layer in shape.layers for m in layer.mixers if isinstance(m, SlidingWindowAttention)]
    if windows and not keeps_windows(shape):
        found.append(Note("window_not_used", {"layers": len(windows), "window": max(windows)}))
    return (*found, *(Note("assumption", {"text": text}) for text in shape.assumptions))
