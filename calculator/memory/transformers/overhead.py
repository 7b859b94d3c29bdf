"""What PyTorch takes of a card beside the allocated tensors, with the least and the most.

Measured on one card: an NVIDIA H200 with 132 multiprocessors (driver 580.159.04, PyTorch 2.11.0+cu130) had 616 MiB in
use once a context was there, 682 after a first product and 692 to 696 after the prompts of four models (a dense one,
one with experts, one with windows, one with linear attention); `calculator/reference/constants.jsonl`. A context grows
with the multiprocessors by 3 MiB each (`memory/cuda_context.py`), which is the least here: what PyTorch puts on top of
that was seen once. Its cuBLAS workspace is a tensor of the allocator: 32 MiB on Hopper (33,554,432 B measured).

The allocator keeps what was freed, in pieces that the next tensor may not fit into. It gives pieces back when a card is
full, and goes on; so what it held beyond the peak is room that helps and need not be there.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from calculator.memory.cuda_context import CONTEXT_MIB, multiprocessors_between

MIB = 2**20
BESIDE_CONTEXT_MIB = 220  # of the 616 on an H200, what 132 multiprocessors do not explain
KERNELS_MIB = 80  # loaded when first used
UNEVEN = 0.2  # as in `memory/llama_cpp/overhead.py`
ASSUMED_MULTIPROCESSORS = 132  # an H100's, as everywhere here, where no card is named
CUBLAS_MIB = 32
CUBLAS_MOST_MIB = 64  # two streams, or a handle and cublasLt
HELD_PERCENT, HELD_MIB = 75, 350
"""What the allocator reserved beyond the peak of a prompt pass was no more than this share of it, or this much, in
225 of 229 measured runs; three of the others have latent attention."""


class Overhead(NamedTuple):
    """Bytes of one card."""

    context: int
    workspaces: int
    least: int
    most: int

    @property
    def bytes(self) -> int:
        return self.context + self.workspaces


@lru_cache(maxsize=512)
def overhead(card_bytes: int | None, multiprocessors: int | None) -> Overhead:
    """
    >>> [size // MIB for size in overhead(None, 132)]
    [696, 32, 428, 899]
    """
    fewest, most = multiprocessors_between(card_bytes, multiprocessors)
    counted = most if card_bytes or multiprocessors else ASSUMED_MULTIPROCESSORS
    return Overhead(
        context=round(_line(counted)) * MIB,
        workspaces=CUBLAS_MIB * MIB,
        least=(round(CONTEXT_MIB * fewest) + CUBLAS_MIB) * MIB,
        most=(round((1 + UNEVEN) * _line(most)) + CUBLAS_MOST_MIB) * MIB,
    )


def _line(multiprocessors: int) -> float:
    return CONTEXT_MIB * multiprocessors + BESIDE_CONTEXT_MIB + KERNELS_MIB


def held_bytes(compute: int) -> int:
    """The most that the allocator holds beside the peak of a prompt pass that takes `compute` bytes."""
    return max(compute * HELD_PERCENT // 100, HELD_MIB * MIB)
