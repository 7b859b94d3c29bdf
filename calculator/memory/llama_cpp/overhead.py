"""What a card holds beside weights, cache and graph. Measured, not derived: it depends on card, driver and build.

A CUDA context keeps a stack for every thread that a card can run at once, so it grows with the multiprocessors:
107 MiB with 34 (RTX 4060 Ti) and 555 with 188 (RTX PRO 6000; both https://github.com/ggml-org/llama.cpp/pull/23604),
291 with 82 (RTX 3090, idle: 24,123 less 23,832 free), 3 MiB each. Beside it lie kernels, which are loaded when first
used, a pool and the workspace of cuBLAS. What llama.cpp's own breakdown calls unaccounted is all of it: 451 to 456 MiB
with 128 multiprocessors (RTX 4090, https://github.com/ggml-org/llama.cpp/pull/15860), 703 to 753 with 188, about 153
with 24 (a laptop's card of 8 GB). The line below is 493, 703 and 129 there.

Of a card whose multiprocessors are not known, its memory says how many there may be; the figure is that of the most, so
that what fits by it fits, and the interval begins at the fewest. A server of May 2025 on a card that is not named took
717 to 749 MiB (granite-3.3-8b in `calculator/reference/measured.jsonl`).

Metal counts what a program allocates of the GPU's memory (`currentAllocatedSize`), and has no context in it: of
7,059 MiB that llama.cpp had on an M2 Ultra its buffers were 7,057 (https://github.com/ggml-org/llama.cpp/pull/18919).
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from calculator.architecture.shape import Shape
from calculator.memory.cuda_context import CONTEXT_MIB, multiprocessors_between
from calculator.memory.workload import Term

MIB = 2**20
WORKSPACE_MIB, WORKSPACE_EACH_MIB = 45, 0.5
UNEVEN = 0.2  # the figures lie so far around the line


class Overhead(NamedTuple):
    """Bytes on one card: the CUDA context and what else lies there, and the least and the most both may be together."""

    context: int
    workspaces: int
    least: int
    most: int
    key: str = "workspaces"

    @property
    def bytes(self) -> int:
        return self.context + self.workspaces

    def terms(self, cards: int) -> tuple[Term, ...]:
        terms = {"cuda_context": self.context, self.key: self.workspaces}
        return tuple(Term(key, {"cards": cards}, cards * size) for key, size in terms.items() if size)


OTHERS = {"cpu": Overhead(0, 0, 0, 0), "metal": Overhead(0, 2 * MIB, 0, 16 * MIB, "beside_buffers")}
"""Back ends without a CUDA context. Metal's figure is one, of numbers rounded to MiB."""


@lru_cache(maxsize=512)
def overhead(
    card_bytes: int | None, multiprocessors: int | None, back_end: str | None = None, *, works: bool = True
) -> Overhead:
    """`works`: a layer lies on the card. Where none does, kernels and workspaces come with the first long prompt."""
    if back_end in OTHERS:
        return OTHERS[back_end]
    fewest, most = multiprocessors_between(card_bytes, multiprocessors)
    fewest_mib = _line(fewest) if works else CONTEXT_MIB * fewest
    return Overhead(
        context=round(CONTEXT_MIB * most) * MIB,
        workspaces=round(WORKSPACE_MIB + WORKSPACE_EACH_MIB * most) * MIB,
        least=round((1 - UNEVEN) * fewest_mib) * MIB,
        most=round((1 + UNEVEN) * _line(most)) * MIB,
    )


def _line(multiprocessors: int) -> float:
    return WORKSPACE_MIB + (CONTEXT_MIB + WORKSPACE_EACH_MIB) * multiprocessors


def result_terms(shape: Shape, rows: int) -> tuple[Term, ...]:
    """The logits that a caller reads: F32, a row per sequence and guess (`output_reserve`, `src/llama-context.cpp`)."""
    values = {"sequences": rows, "vocab_size": shape.vocab_size}
    return (Term("logits_read", values, 4 * rows * shape.vocab_size),)


def hidden_terms(shape: Shape, rows: int) -> tuple[Term, ...]:
    """The hidden states that multi-token prediction reads (`embd_nextn`, in the same place)."""
    values = {"rows": rows, "hidden_size": shape.hidden_size}
    return (Term("hidden_states_read", values, 4 * rows * shape.hidden_size),)
