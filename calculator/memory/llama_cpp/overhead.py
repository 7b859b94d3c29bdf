"""What a card holds beside weights, cache and graph. Measured, not derived: it depends on driver, card and build.

Public figures for one process: CUDA context 107 MiB (RTX 4060 Ti, difference of two logs), 170 MiB (Tesla K80), 555 MiB
(RTX PRO 6000, 188 multiprocessors); everything that llama.cpp's own breakdown calls unaccounted on that card, 753 MiB;
cuBLAS workspace 32 to 67 MiB. The constants sit in the middle: expect -350 to +300 MiB per card.
"""

from __future__ import annotations

from calculator.architecture.shape import Shape
from calculator.memory.workload import Term

CUDA_CONTEXT_BYTES = 384 * 2**20
WORKSPACE_BYTES = 64 * 2**20


def overhead_terms(cards: int) -> tuple[Term, ...]:
    return (
        Term("cuda_context", {"cards": cards}, cards * CUDA_CONTEXT_BYTES),
        Term("workspaces", {"cards": cards}, cards * WORKSPACE_BYTES),
    )


def result_terms(shape: Shape, sequences: int) -> tuple[Term, ...]:
    """The logits that a caller reads: F32, a row per sequence (`output_reserve` in `src/llama-context.cpp`)."""
    values = {"sequences": sequences, "vocab_size": shape.vocab_size}
    return (Term("logits_read", values, 4 * sequences * shape.vocab_size),)
