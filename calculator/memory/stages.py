"""Whole layers dealt out to pipeline stages, or to cards that each hold whole layers.

Source: vLLM 0.33.0 `distributed/utils.py` (`get_pp_indices`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from calculator.memory.workload import Term


@dataclass(frozen=True, slots=True)
class Held:
    """Terms over all ranks, and the bytes of one rank of each stage of the pipeline."""

    terms: tuple[Term, ...]
    rank_bytes: tuple[int, ...]


@lru_cache(maxsize=256)
def stages(num_layers: int, pipeline_parallel: int) -> tuple[range, ...]:
    """The layers of each stage: left-over layers go to the stages before the last.

    >>> [len(stage) for stage in stages(61, 4)]
    [15, 15, 16, 15]
    """
    sizes = [num_layers // pipeline_parallel] * pipeline_parallel
    for extra in range(2, num_layers % pipeline_parallel + 2):
        sizes[-extra] += 1
    ends = [sum(sizes[: index + 1]) for index in range(pipeline_parallel)]
    return tuple(range(end - size, end) for size, end in zip(sizes, ends, strict=True))
