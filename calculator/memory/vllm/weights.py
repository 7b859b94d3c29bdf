"""The weights of a rank in vLLM, with what loading adds to them."""

from __future__ import annotations

from functools import lru_cache

from calculator.architecture.shape import Shape
from calculator.memory.checkpoint import WIDE_BYTES
from calculator.memory.rank_weights import Added, Weights, absorbed_projections, rank_weights, rotary_tables


@lru_cache(maxsize=1024)
def weights(shape: Shape, weight_format: str, tensor_parallel: int, pipeline_parallel: int) -> Weights:
    """What every rank holds."""
    return rank_weights(shape, weight_format, tensor_parallel, pipeline_parallel, _added)


def _added(shape: Shape, parts: tuple[range, ...], ranks: int) -> Added:
    """The angle tables, and MLA's second copy of `kv_b_proj`.

    `rotary_embedding/base.py` registers cos and sin for every position of the longest context, in the model's dtype.
    `attention/mla_attention.py` (`process_weights_after_loading`) keeps `W_UK_T` and `W_UV` in BF16 beside `kv_b_proj`.
    """
    return (*rotary_tables(shape, parts, ranks, WIDE_BYTES), *absorbed_projections(shape, parts, ranks))
