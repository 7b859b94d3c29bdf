"""The weights of a rank in SGLang, with what loading adds to them."""

from __future__ import annotations

from functools import lru_cache

from calculator.architecture.shape import Shape
from calculator.memory.rank_weights import Added, Weights, absorbed_projections, rank_weights, rotary_tables

F32_BYTES = 4


@lru_cache(maxsize=1024)
def weights(shape: Shape, weight_format: str, tensor_parallel: int, pipeline_parallel: int) -> Weights:
    """What every rank holds."""
    return rank_weights(shape, weight_format, tensor_parallel, pipeline_parallel, _added)


def _added(shape: Shape, parts: tuple[range, ...], ranks: int) -> Added:
    """The angle tables, which CUDA keeps in 32 bits, and MLA's second copy of `kv_b_proj`.

    `layers/rotary_embedding` (`_compute_cos_sin_cache`); `models/deepseek_common` (`w_kc`, `w_vc` beside `kv_b_proj`).
    """
    return (*rotary_tables(shape, parts, ranks, F32_BYTES), *absorbed_projections(shape, parts, ranks))
