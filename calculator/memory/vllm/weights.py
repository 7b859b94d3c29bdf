"""The weights of a rank in vLLM, with what loading adds to them."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from calculator.architecture.shape import Shape
from calculator.memory.checkpoint import WeightFormat, ceil_div, of_checkpoint
from calculator.memory.mxfp4_experts import with_experts
from calculator.memory.rank_weights import (
    Added,
    Weights,
    absorbed_bytes,
    absorbed_projections,
    plain_price,
    prediction_size,
    rank_weights,
    storage,
)
from calculator.memory.tensors import TensorGroup, tensor_groups
from calculator.memory.vllm.buffers import buffers, tower_bytes
from calculator.memory.vllm.split import price

QUANTISED_ROUTERS = frozenset({"k2_horizon", "lfm2_moe", "qwen3_moe", "qwen3_vl_moe_text"})
"""Model types whose router is given the checkpoint's quantisation (`models/qwen3_moe.py`, `GateLinear`)."""
ROUTER_METHODS = ("awq", "fp8", "gptq")
"""Quantisation methods that take a `GateLinear`; others choose layers by the name of their class."""
DECOMPRESSING = ("attn_kv_b", "attn_k_b", "attn_v_b")


class Layout(NamedTuple):
    """How the weights are spread, and what else they depend on. `whole_experts`: each lies on one rank."""

    ranks: int
    stages: int
    replicas: int
    whole_experts: bool
    batched_tokens: int
    capability: tuple[int, int]
    prediction: bool


@lru_cache(maxsize=1024)
def weights(shape: Shape, weight_format: str, layout: Layout) -> Weights:
    """What every rank holds, and the terms over all of them."""

    def added(shape: Shape, parts: tuple[range, ...], ranks: int) -> Added:
        absorbed = absorbed_projections(shape, parts, ranks) if _keeps_projections(shape, weight_format) else ()
        return (*buffers(shape, parts, ranks, layout.batched_tokens), *absorbed)

    def priced(shape: Shape, group: TensorGroup, spec: WeightFormat, ranks: int) -> tuple[int, str]:
        return _spread(shape, group, _held_as(shape, group, spec, weight_format), layout)

    held = rank_weights(shape, weight_format, layout.ranks, layout.stages, added, priced)
    if layout.prediction:
        own = shape.draft_head is not None  # what is kept otherwise of the model's own layers says nothing of a head's
        parameters, size = prediction_size(shape, weight_format, layout.ranks, plain_price if own else priced)
        if not own and _keeps_projections(shape, weight_format):
            size += sum(absorbed_bytes(mixer, layout.ranks) for mixers in shape.mtp_mixers for mixer in mixers)
        held = held.with_prediction(shape, parameters, size, layout.ranks)
    return held.with_vision(tower_bytes(shape), layout.ranks).times(layout.replicas)


def _held_as(shape: Shape, group: TensorGroup, spec: WeightFormat, weight_format: str) -> WeightFormat:
    """Where a checkpoint's format reaches further than its matrices of layers: biases of experts that a kernel lays out
    anew, and routers that the class makes like any linear layer, unless the file leaves them out."""
    spec = with_experts(group, spec, weight_format)
    q = shape.quantization
    if group.role != "ffn_gate_inp" or group.kind != "weight" or q is None or weight_format != shape.native_format:
        return spec
    if q.wide_routers or q.method not in ROUTER_METHODS or shape.model_type not in QUANTISED_ROUTERS:
        return spec
    return of_checkpoint({"AWQ": "INT4", "GPTQ": "INT4"}.get(weight_format, weight_format), weight_format, q)


def _spread(shape: Shape, group: TensorGroup, spec: WeightFormat, layout: Layout) -> tuple[int, str]:
    """Copies of a model share their experts (`fused_moe/config.py`, `FusedMoEParallelConfig.make`): a slice of each on
    every rank of all copies, or as many whole ones."""
    everywhere = layout.ranks * layout.replicas
    if "_exps" not in group.role or (layout.replicas == 1 and not layout.whole_experts):
        return price(shape, group, spec, layout.ranks, layout.capability)
    if not layout.whole_experts:
        return price(shape, group, spec, everywhere, layout.capability)
    number = group.shape[0]
    kept = replace(group, shape=(ceil_div(number, everywhere), *group.shape[1:]))
    return price(shape, kept, spec, 1, layout.capability)


def _keeps_projections(shape: Shape, weight_format: str) -> bool:
    """The two halves of a wide `kv_b_proj` are views of it; of a narrow one they are made in 16 bits beside it
    (`attention/mla_attention.py`, `process_weights_after_loading`)."""
    groups = (group for group in tensor_groups(shape) if group.role in DECOMPRESSING)
    return any(storage(shape, group, weight_format).name not in ("BF16", "FP16") for group in groups)
