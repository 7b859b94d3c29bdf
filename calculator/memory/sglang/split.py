"""What SGLang keeps of one tensor on one rank.

Sources (SGLang 0.5.23, `srt/`): `runtime_context.py` (`derive_attn_tp_size`: what is left of the ranks for attention),
`layers/moe/fused_moe_triton/layer.py` (experts: whole on `--ep-size` ranks, or a slice of each), `models/` (which of
them split attention and the embedding over those ranks; the output head and all else are split over all),
`layers/vocab_parallel_embedding.py` (tables of positions in an encoder are split like a vocabulary),
`arg_groups/model_overrides/gpt_oss.py` and `layers/quantization/mxfp4.py` (which kernel runs experts in MXFP4).
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from calculator.architecture.shape import Experts, Shape
from calculator.memory.checkpoint import WIDE_BYTES, WeightFormat, ceil_div
from calculator.memory.mxfp4_experts import (
    CUTLASS,
    TRITON_BEFORE_HOPPER,
    TRITON_ON_HOPPER,
    TRTLLM,
    WIDENED,
    ExpertLayout,
    mxfp4_expert_bytes,
)
from calculator.memory.rank_weights import group_bytes
from calculator.memory.sglang.known import keeps_embedding_whole, splits_attention_apart
from calculator.memory.sglang.layers import HOPPER
from calculator.memory.tensor_parallel import check, padded_vocabulary
from calculator.memory.tensors import TensorGroup, category
from calculator.memory.workload import Workload, WorkloadError

SPLIT_POSITIONS = frozenset({"gemma3", "qwen3_vl", "qwen3_vl_moe", "qwen3_5", "qwen3_5_moe"})
"""Model types of files whose encoder has its positions in a `VocabParallelEmbedding` (`siglip.py`, `qwen3_vl.py`)."""


class Layout(NamedTuple):
    """How the weights are spread. `ranks` of one copy; attention is split over `attention_ranks` of them."""

    ranks: int
    stages: int
    replicas: int
    attention_ranks: int
    whole_experts: bool
    prediction: bool = False
    capability: tuple[int, int] = HOPPER


def layout(workload: Workload) -> Layout:
    """How `workload` spreads its weights."""
    return Layout(
        ranks=workload.tensor_parallel,
        stages=workload.pipeline_parallel,
        replicas=workload.replicas,
        attention_ranks=workload.attention_ranks,
        whole_experts=workload.expert_parallel,
        prediction=workload.mtp > 0,
        capability=workload.capability or HOPPER,
    )


def check_split(shape: Shape, workload: Workload) -> None:
    """Raise `WorkloadError` where the server would not start, or where its class of the model cannot be split so."""
    ranks, copies = workload.tensor_parallel, workload.data_parallel
    if workload.attention_data_parallel and copies > 1:
        if not splits_attention_apart(shape):
            raise WorkloadError(
                "attention_data_parallel", "not_for_model", value=shape.architecture or shape.model_type
            )
        if ranks % copies:
            values = {"value": copies, "name": "tensor_parallel", "size": ranks}
            raise WorkloadError("data_parallel", "not_divisible", **values)
    numbers = {layer.feed_forward.num_experts for layer in shape.layers if isinstance(layer.feed_forward, Experts)}
    if workload.expert_parallel:
        for number in sorted(numbers):
            if number % ranks:
                values = {"value": ranks, "name": "num_experts", "size": number}
                raise WorkloadError("tensor_parallel", "not_divisible", **values)
    check(
        shape,
        ranks,
        workload.pipeline_parallel,
        attention_ranks=workload.attention_ranks,
        expert_ranks=1 if workload.expert_parallel else ranks,
    )


def ranks_of(shape: Shape, group: TensorGroup, spread: Layout) -> int:
    """Over how many ranks a tensor of the text model is split."""
    kind = category(group.role)
    if kind == "embedding" and spread.attention_ranks < spread.ranks and keeps_embedding_whole(shape):
        return 1
    return spread.attention_ranks if kind in ("mixer", "embedding") else spread.ranks


def price(shape: Shape, group: TensorGroup, spec: WeightFormat, spread: Layout) -> tuple[int, str]:
    """Bytes of one tensor on one rank, and the format it is held in."""
    if group.part != "text":
        return _tower_bytes(shape, group, spec, spread.attention_ranks), spec.name
    ranks = ranks_of(shape, group, spread)
    if "_exps" in group.role and spread.whole_experts:
        group, ranks = replace(group, shape=(ceil_div(group.shape[0], spread.ranks), *group.shape[1:])), 1
    if spec.name == "MXFP4" and "_exps" in group.role:
        kernel = _expert_layout(spread)
        return mxfp4_expert_bytes(group, ranks, kernel), "BF16" if kernel.widened else spec.name
    return group_bytes(group, spec, ranks), spec.name


def _expert_layout(spread: Layout) -> ExpertLayout:
    """FlashInfer's kernels on Blackwell: TensorRT-LLM's in data centres, else CUTLASS. Before, those of triton_kernels,
    which know no whole experts (`--ep-size`); experts are widened there."""
    major = spread.capability[0]
    if major >= 10:
        return TRTLLM if major == 10 else CUTLASS
    if spread.whole_experts and spread.ranks > 1:
        return WIDENED
    return TRITON_ON_HOPPER if major == 9 else TRITON_BEFORE_HOPPER


def _tower_bytes(shape: Shape, group: TensorGroup, spec: WeightFormat, ranks: int) -> int:
    if group.role == "v.position_embd" and shape.file_type in SPLIT_POSITIONS:
        return ceil_div(padded_vocabulary(group.rows), ranks) * group.columns * WIDE_BYTES
    return group_bytes(group, spec, ranks)
