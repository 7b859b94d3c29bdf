"""The weights of a rank in SGLang, with what loading adds to them."""

from __future__ import annotations

from functools import lru_cache

from calculator.architecture.shape import Shape
from calculator.memory.checkpoint import WeightFormat
from calculator.memory.mxfp4_experts import with_experts
from calculator.memory.rank_weights import Added, Weights, absorbed_projections, prediction_size, rank_weights
from calculator.memory.sglang.split import Layout, price, ranks_of
from calculator.memory.tensors import TensorGroup, tensor_groups
from calculator.memory.workload import Term

F32_BYTES = 4
TABLE_BY_LAYER = frozenset({"grok-1"})
"""Model types whose every attention makes a stretched table of its own, beside the one that `get_rope` keeps for all
(`Grok1Attention` and `ScalingRotaryEmbedding` in `models/grok.py`)."""
TOWER_POSITIONS = 8192
TOWERS_WITH_TABLE = frozenset({"glm46v", "glm4v", "glm4v_moe", "qwen3_5", "qwen3_5_moe", "qwen3_vl", "qwen3_vl_moe"})
"""Model types of files whose encoder rotates half of a head by `get_rope` (`models/qwen3_vl.py`, `glm4v.py`)."""


@lru_cache(maxsize=1024)
def weights(shape: Shape, weight_format: str, spread: Layout) -> Weights:
    """What every rank holds, and the terms over all of them."""

    def added(shape: Shape, parts: tuple[range, ...], ranks: int) -> Added:
        attention, copies = spread.attention_ranks, spread.ranks // spread.attention_ranks
        return (*_rotary_tables(shape, parts, ranks), *absorbed_projections(shape, parts, attention, copies))

    def priced(shape: Shape, group: TensorGroup, spec: WeightFormat, ranks: int) -> tuple[int, str]:
        return price(shape, group, with_experts(group, spec, weight_format), spread)

    def split(shape: Shape, group: TensorGroup) -> int:
        return ranks_of(shape, group, spread)

    held = rank_weights(shape, weight_format, spread.ranks, spread.stages, added, priced, split)
    if spread.prediction:  # embedding and output head are those of the model (`eagle_worker_v2.py`)
        parameters, size = prediction_size(shape, weight_format, spread.ranks, priced)
        held = held.with_prediction(shape, parameters, size, spread.ranks)
    return held.with_vision(_tower_table(shape), spread.ranks).times(spread.replicas)


def _rotary_tables(shape: Shape, parts: tuple[range, ...], ranks: int) -> Added:
    """cos and sin for every position, whole on every rank, which CUDA keeps in 32 bits (`layers/rotary_embedding`)."""
    added = []
    for table in shape.rotary:
        size = table.positions * table.dimensions * F32_BYTES
        by_layer = table.stretched and shape.model_type in TABLE_BY_LAYER
        each = [1 + len(part) if by_layer else 1 for part in parts]
        copies = ranks * sum(each)
        values = {"positions": table.positions, "dimensions": table.dimensions, "bytes": F32_BYTES, "copies": copies}
        added.append((Term("rotary_table", values, size * copies), [size * number for number in each]))
    return tuple(added)


def _tower_table(shape: Shape) -> int:
    """The encoder's own table of angles, whole on every rank."""
    if shape.file_type not in TOWERS_WITH_TABLE or not shape.tower_heads:
        return 0
    width = next((group.columns for group in tensor_groups(shape) if group.role in ("v.attn_qkv", "v.attn_q")), 0)
    return TOWER_POSITIONS * (width // shape.tower_heads // 2) * F32_BYTES
