"""The compute buffer: what is alive at the widest moment of one micro-batch.

`ggml_gallocr` (`ggml/src/ggml-alloc.c`) lays the tensors of the graph over each other, so the buffer is a maximum, not
a sum: either a layer at work beside the attention masks, or the output layer with the logits of the whole micro-batch
(`n_outputs_max` left at its default, as in `llama-cli` and `llama-bench`; `llama-server` reserves fewer rows and needs
less). The widths below were read off the allocator itself, on the CPU back end of October 2026, flash attention on, as
multiples of the model's sizes. Against 963 of its answers for 197 models the median error is 0.1 %, 17 are off by more
than 15 % and the worst by 21 %. What the widths miss is fragmentation: where a freed mask leaves a hole that the logits
do not fit, the true buffer is larger by up to the mask. The Hadamard rotation of a quantised cache shifts it by up to
one hidden size.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from calculator.architecture.shape import (
    Attention,
    Dense,
    Experts,
    FeedForward,
    LatentAttention,
    LinearAttention,
    Mixer,
    Shape,
    ShortConvolution,
    StateSpace,
)
from calculator.memory.llama_cpp.cache import Row, cells, micro_batch, pad, rows_by_layer
from calculator.memory.llama_cpp.support import DECOMPRESSES_LATENT, DEEPSTACK
from calculator.memory.workload import Term, Workload

F32 = 4
MASK_BYTES = 2  # F16 with flash attention, as is a copy of an F32 cache
PIPELINE_COPIES = 4  # `GGML_SCHED_MAX_COPIES`: several cards work on several micro-batches at once
INDEXER_BYTES = 6  # per cell: a score and its masked copy
INDEXER_WIDTH = 64  # elements per token the indexer picks


class Widths(NamedTuple):
    """Per token of the micro-batch: elements of the widest layer, a row of every distinct cache, tokens picked."""

    layer: int
    caches: tuple[Row, ...]
    top_k: int


@lru_cache(maxsize=64)
def widths(shape: Shape) -> Widths:
    outputs: dict[tuple[int, str], int] = {
        (tensor.layer, tensor.role): tensor.shape[0]
        for tensor in shape.tensors_of("text")
        if tensor.layer is not None and tensor.kind == "weight" and tensor.role.startswith("ffn_")
    }
    distinct = {(layer.mixers, layer.feed_forward): layer.index for layer in shape.layers}
    widest = max(_layer(shape, mixers, ffn, outputs, index) for (mixers, ffn), index in distinct.items())
    extra = DEEPSTACK.get(shape.model_type, 0) * shape.hidden_size
    per_layer = sum(tensor.shape[-1] for tensor in shape.tensors_of("text") if tensor.role == "per_layer_token_embd")
    rows = {row for layer_rows in rows_by_layer(shape) for row in layer_rows if row.key != "cells_indexer"}
    caches = tuple({(row.window, row.tokens): row for row in rows}.values())
    indexers = (m.indexer for layer in shape.layers for m in layer.mixers if isinstance(m, LatentAttention))
    return Widths(widest + extra + per_layer, caches, max((i.top_k for i in indexers if i), default=0))


def _layer(
    shape: Shape,
    mixers: tuple[Mixer, ...],
    feed_forward: FeedForward | None,
    outputs: Mapping[tuple[int, str], int],
    index: int,
) -> int:
    hidden = shape.hidden_size
    attention = max((_attention_output(mixer, hidden) for mixer in mixers), default=0)
    widest = max((_mixer(shape, mixer) for mixer in mixers), default=0)
    if isinstance(feed_forward, Dense):
        size = feed_forward.intermediate_size
        fused = outputs.get((index, "ffn_up"), 0) > size  # gate and up in one product leave no hole for the queries
        gated = fused or (index, "ffn_gate") in outputs
        widest = max(widest, (3 if gated else 1) * size + 3 * hidden + (0 if fused else attention))
    elif isinstance(feed_forward, Experts):
        gated = (index, "ffn_gate_exps") in outputs
        widest = max(widest, _experts(feed_forward, hidden, attention, gated))
    return widest


def _experts(ffn: Experts, hidden: int, attention: int, gated: bool) -> int:
    active, size = ffn.num_active_experts, ffn.expert_size
    going_up = (3 if gated else 1) * active * size + 3 * hidden + attention
    coming_down = 2 * active * (ffn.latent_size or hidden) + active * size + (2 * hidden if attention > hidden else 0)
    shared = 3 * ffn.shared_size + 4 * hidden + attention if ffn.shared_size else 0
    return max(going_up, coming_down, shared)


def _attention_output(mixer: Mixer, hidden: int) -> int:
    if isinstance(mixer, Attention):
        return mixer.num_heads * mixer.value_head_dim
    return hidden if isinstance(mixer, LatentAttention) else 0


def _mixer(shape: Shape, mixer: Mixer) -> int:
    hidden = shape.hidden_size
    match mixer:
        case LatentAttention():
            if shape.model_type in DECOMPRESSES_LATENT:
                return 4 * hidden + 3 * mixer.num_heads * (mixer.qk_nope_head_dim + mixer.qk_rope_head_dim)
            latent = 2 * (mixer.kv_lora_rank + mixer.qk_rope_head_dim)
            return 4 * hidden + mixer.num_heads * (latent + mixer.qk_nope_head_dim + mixer.value_head_dim)
        case Attention():
            return 4 * hidden + 2 * mixer.num_heads * mixer.head_dim + 2 * mixer.num_kv_heads * mixer.head_dim
        case LinearAttention():
            return 3 * hidden + 3 * mixer.conv_channels
        case StateSpace():
            groups = 0 if mixer.version == 1 else mixer.num_groups
            return hidden + 3 * mixer.inner_size + 3 * (mixer.inner_size + 2 * groups * mixer.state_size)
        case ShortConvolution():
            return 5 * hidden + 3 * mixer.conv_channels
    return 4 * hidden


def layer_terms(shape: Shape, workload: Workload, copies: int = 1) -> tuple[Term, ...]:
    """A layer at work beside the masks. `copies` of the masks are kept where cards form a pipeline."""
    needed, rows = widths(shape), micro_batch(workload)
    terms = []
    columns = sum(cells(row, workload) for row in needed.caches)
    if columns:
        values = {"rows": rows, "cells": columns, "copies": copies, "bytes": MASK_BYTES}
        terms.append(Term("attention_masks", values, MASK_BYTES * rows * columns * copies))
    if needed.top_k:
        scores = pad(workload.context_tokens)
        chosen = INDEXER_WIDTH * min(needed.top_k, scores)
        values = {"rows": rows, "cells": scores, "chosen": chosen, "bytes": INDEXER_BYTES}
        terms.append(Term("indexer_scores", values, rows * (INDEXER_BYTES * scores + F32 * chosen)))
    copied = _copied_to_f16(needed.caches, workload)
    attending = (_at_work(rows, 5 * shape.hidden_size), Term("cache_as_f16", copied, MASK_BYTES * copied["elements"]))
    return widest_moment((_at_work(rows, needed.layer),), attending) + tuple(terms)


def _at_work(rows: int, elements: int) -> Term:
    return Term("layer_at_work", {"rows": rows, "elements": elements, "bytes": F32}, F32 * rows * elements)


def _copied_to_f16(caches: Iterable[Row], workload: Workload) -> dict[str, int]:
    """Flash attention reads no F32: one layer's cache is copied (`build_attn_mha` in `src/llama-graph.cpp`)."""
    keys, values = workload.kv_format == "f32", workload.kv_v_format == "f32"
    widths_f16 = ((row, keys * row.key_size + values * (row.value_size or row.key_size)) for row in caches)
    per_layer = (row.heads * width * cells(row, workload) for row, width in widths_f16)
    return {"elements": workload.sequences * max(per_layer, default=0), "bytes": MASK_BYTES}


def output_terms(shape: Shape, workload: Workload) -> tuple[Term, ...]:
    """The output layer: a row of logits per token, its input and the residual."""
    rows, vocabulary, hidden = micro_batch(workload), shape.vocab_size, shape.hidden_size
    values = {"rows": rows, "vocab_size": vocabulary, "hidden_size": hidden, "bytes": F32}
    return (Term("logits_rows", values, F32 * rows * (vocabulary + 2 * hidden)),)


def widest_moment(*candidates: tuple[Term, ...]) -> tuple[Term, ...]:
    return max(candidates, key=lambda terms: sum(term.bytes for term in terms))


def host_terms(shape: Shape, workload: Workload) -> tuple[Term, ...]:
    """What the CPU hands to the cards: embedded tokens and masks, in pinned memory."""
    rows, columns = micro_batch(workload), sum(cells(row, workload) for row in widths(shape).caches)
    values = {"rows": rows, "hidden_size": shape.hidden_size, "cells": columns}
    return (Term("graph_inputs", values, rows * (F32 * shape.hidden_size + MASK_BYTES * columns)),)
