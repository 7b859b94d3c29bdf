"""The weights of a rank in vLLM, with what loading adds to them."""

from __future__ import annotations

from functools import lru_cache

from calculator.architecture.shape import Shape
from calculator.memory.checkpoint import WeightFormat
from calculator.memory.rank_weights import Added, Weights, absorbed_projections, rank_weights, storage
from calculator.memory.tensors import TensorGroup, tensor_groups
from calculator.memory.vllm.buffers import buffers, tower_bytes
from calculator.memory.vllm.split import price

DECOMPRESSING = ("attn_kv_b", "attn_k_b", "attn_v_b")


@lru_cache(maxsize=1024)
def weights(
    shape: Shape,
    weight_format: str,
    tensor_parallel: int,
    pipeline_parallel: int,
    batched_tokens: int,
    capability: tuple[int, int],
) -> Weights:
    """What every rank holds."""

    def added(shape: Shape, parts: tuple[range, ...], ranks: int) -> Added:
        absorbed = absorbed_projections(shape, parts, ranks) if _keeps_projections(shape, weight_format) else ()
        return (*buffers(shape, parts, ranks, batched_tokens), *absorbed)

    def priced(shape: Shape, group: TensorGroup, spec: WeightFormat, ranks: int) -> tuple[int, str]:
        return price(shape, group, spec, ranks, capability)

    held = rank_weights(shape, weight_format, tensor_parallel, pipeline_parallel, added, priced)
    return held.with_vision(tower_bytes(shape), tensor_parallel)


def _keeps_projections(shape: Shape, weight_format: str) -> bool:
    """The two halves of a wide `kv_b_proj` are views of it; of a narrow one they are made in 16 bits beside it
    (`attention/mla_attention.py`, `process_weights_after_loading`)."""
    groups = (group for group in tensor_groups(shape) if group.role in DECOMPRESSING)
    return any(storage(shape, group, weight_format).name not in ("BF16", "FP16") for group in groups)
