"""What a card holds beside weights, cache and graph. Measured, not derived: it depends on card, driver and build.

A CUDA context keeps a stack for every thread that a card can run at once, so it grows with the multiprocessors:
107 MiB with 34 (RTX 4060 Ti, difference of two logs), 291 with 82 (RTX 3090, idle: 24,123 less 23,832 free), 555 with
188 (RTX PRO 6000), 3 MiB each. Beside it lie kernels, which are loaded when first used, a pool and the workspace of
cuBLAS. What llama.cpp's own breakdown calls unaccounted is all of it: 451 to 456 MiB on an RTX 4090 with 128
(https://github.com/ggml-org/llama.cpp/pull/15860), 703 to 753 on an RTX PRO 6000, about 153 on a laptop's card of
8 GB. The line below is 485, 701 and 130 to 150 there. Where the card is not known, its memory says how many
multiprocessors it may have.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from calculator.architecture.shape import Shape
from calculator.memory.workload import Term

MIB = 2**20
CONTEXT_MIB = 3.0  # of each multiprocessor
WORKSPACE_MIB, WORKSPACE_EACH_MIB = 24, 0.6
UNEVEN = 0.12  # the figures lie so far around the line

# NVIDIA's cards of up to so many GiB: the fewest and the most multiprocessors.
_MULTIPROCESSORS = (
    (7, (10, 34)),
    (9, (20, 48)),
    (13, (28, 80)),
    (17, (34, 84)),
    (25, (56, 128)),
    (33, (80, 170)),
    (49, (84, 142)),
    (81, (108, 132)),
    (97, (132, 188)),
    (1024, (132, 160)),
)
_UNKNOWN = (20, 188)


class Overhead(NamedTuple):
    """Bytes on one card: context and workspaces as they are on a card between the smallest and the largest, and the
    least and the most that both together may be."""

    context: int
    workspaces: int
    least: int
    most: int


def alike_bytes(card_bytes: int) -> int:
    """The least memory of the cards that are taken to be like one of `card_bytes`."""
    below = (top for top, _ in _MULTIPROCESSORS if top * 2**30 < card_bytes)
    return max((top * 2**30 + 1 for top in below), default=1)


@lru_cache(maxsize=64)
def overhead(card_bytes: int | None) -> Overhead:
    gib = None if card_bytes is None else card_bytes / 2**30
    fewest, most = _UNKNOWN if gib is None else next((span for top, span in _MULTIPROCESSORS if gib <= top), _UNKNOWN)
    middle = (fewest + most) / 2
    return Overhead(
        context=round(CONTEXT_MIB * middle) * MIB,
        workspaces=round(WORKSPACE_MIB + WORKSPACE_EACH_MIB * middle) * MIB,
        least=round((1 - UNEVEN) * _line(fewest)) * MIB,
        most=round((1 + UNEVEN) * _line(most)) * MIB,
    )


def _line(multiprocessors: int) -> float:
    return WORKSPACE_MIB + (CONTEXT_MIB + WORKSPACE_EACH_MIB) * multiprocessors


def overhead_terms(cards: int, card_bytes: int | None) -> tuple[Term, ...]:
    each = overhead(card_bytes)
    return (
        Term("cuda_context", {"cards": cards}, cards * each.context),
        Term("workspaces", {"cards": cards}, cards * each.workspaces),
    )


def result_terms(shape: Shape, sequences: int) -> tuple[Term, ...]:
    """The logits that a caller reads: F32, a row per sequence (`output_reserve` in `src/llama-context.cpp`)."""
    values = {"sequences": sequences, "vocab_size": shape.vocab_size}
    return (Term("logits_read", values, 4 * sequences * shape.vocab_size),)
