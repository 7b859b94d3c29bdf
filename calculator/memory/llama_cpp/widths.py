"""The compute buffer by a closed rule, for kinds of layers whose graph is not known: what the widest moment holds.

The widths were read off ggml's allocator as multiples of the model's sizes (CPU back end, October 2026).
"""

from __future__ import annotations

from collections.abc import Mapping

from calculator.architecture.known import of_shape
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
from calculator.memory.llama_cpp.cache import cells
from calculator.memory.llama_cpp.graph import Setting, cache_kinds
from calculator.memory.llama_cpp.support import DECOMPRESSES_LATENT
from calculator.memory.workload import Term, Workload

F32 = 4
MASK_BYTES = 2  # F16 with flash attention


@of_shape
def widest_layer(shape: Shape) -> int:
    """Elements per token of the widest layer."""
    outputs: dict[tuple[int, str], int] = {
        (tensor.layer, tensor.role): tensor.shape[0]
        for tensor in shape.tensors_of("text")
        if tensor.layer is not None and tensor.kind == "weight" and tensor.role.startswith("ffn_")
    }
    distinct = {(layer.mixers, layer.feed_forward): layer.index for layer in shape.layers}
    widest = max(_layer(shape, mixers, ffn, outputs, index) for (mixers, ffn), index in distinct.items())
    per_layer = sum(tensor.shape[-1] for tensor in shape.tensors_of("text") if tensor.role == "per_layer_token_embd")
    return widest + per_layer


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


def card_terms(shape: Shape, workload: Workload, setting: Setting, copies: int) -> tuple[Term, ...]:
    """A layer at work beside the masks, or a cache of other than F16 copied for attention."""
    rows, kinds = setting.tokens, cache_kinds(shape)
    columns = sum(cells(row, workload) for row in kinds)
    terms: list[Term] = []
    if columns:
        width = MASK_BYTES if setting.flash else F32
        masked = {"rows": rows, "cells": columns, "copies": copies, "bytes": width}
        terms.append(Term("attention_masks", masked, width * rows * columns * copies))
    copied = [
        (cells(row, workload), 2 * setting.streams * row.heads * (keys + values))
        for row in kinds
        if (keys := row.key_size * setting.keys_copied) + (values := row.value_size * setting.values_copied)
    ]
    at_work = F32 * rows * widest_layer(shape)
    attending = F32 * rows * 5 * shape.hidden_size
    kept, per_cell = max(copied, key=lambda pair: pair[0] * pair[1], default=(0, 0))
    if attending + kept * per_cell > at_work:
        return (
            Term("graph_at_work", {"rows": rows}, attending),
            *terms,
            Term("cache_as_f16", {"cells": kept, "bytes": per_cell}, kept * per_cell),
        )
    return (Term("graph_at_work", {"rows": rows}, at_work), *terms)
