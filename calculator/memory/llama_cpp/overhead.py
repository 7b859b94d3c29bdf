"""What a card holds beside weights, cache and graph. Measured, not derived: it depends on driver, card and build.

Public figures for one process: CUDA context 107 MiB (RTX 4060 Ti, difference of two logs), 170 MiB (Tesla K80), 555 MiB
(RTX PRO 6000, 188 multiprocessors); everything that llama.cpp's own breakdown calls unaccounted on that card, 753 MiB;
cuBLAS workspace 32 to 67 MiB; and what nvidia-smi shows for an 8B model on one card beyond weights, cache and graph,
about 700 MiB (`calculator/reference/measured.jsonl`, granite-3.3-8b). The constants are those of the RTX PRO 6000, the
middle of these: expect -460 to +140 MiB per card. Small and old cards hold less: what fits by this number fits.
"""

from __future__ import annotations

from calculator.architecture.shape import Shape
from calculator.memory.workload import Term

CUDA_CONTEXT_BYTES = 555 * 2**20
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
