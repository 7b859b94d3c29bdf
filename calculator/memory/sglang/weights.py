"""The weights of a rank in SGLang, with what loading adds to them."""

from __future__ import annotations

from functools import lru_cache

from calculator.architecture.shape import Shape
from calculator.memory.rank_weights import Added, Weights, absorbed_projections, rank_weights
from calculator.memory.workload import Term

F32_BYTES = 4


@lru_cache(maxsize=1024)
def weights(shape: Shape, weight_format: str, tensor_parallel: int, pipeline_parallel: int) -> Weights:
    """What every rank holds."""
    return rank_weights(shape, weight_format, tensor_parallel, pipeline_parallel, _added)


def _added(shape: Shape, parts: tuple[range, ...], ranks: int) -> Added:
    """The angle tables, and MLA's second copy of `kv_b_proj` (`models/deepseek_common`: `w_kc`, `w_vc`)."""
    return (*_rotary_tables(shape, parts, ranks), *absorbed_projections(shape, parts, ranks))


def _rotary_tables(shape: Shape, parts: tuple[range, ...], ranks: int) -> Added:
    """cos and sin for every position, whole on every rank, which CUDA keeps in 32 bits (`layers/rotary_embedding`)."""
    copies = ranks * len(parts)
    added = []
    for table in shape.rotary:
        size = table.positions * table.dimensions * F32_BYTES
        values = {"positions": table.positions, "dimensions": table.dimensions, "bytes": F32_BYTES, "copies": copies}
        added.append((Term("rotary_table", values, size * copies), [size] * len(parts)))
    return tuple(added)
