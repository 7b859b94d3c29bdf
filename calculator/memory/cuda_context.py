"""How a CUDA context grows with a card, and how many multiprocessors one may have of which that is not known.

It keeps a stack for every thread that a card can run at once: 107 MiB with 34 multiprocessors (RTX 4060 Ti) and 555
with 188 (RTX PRO 6000; both https://github.com/ggml-org/llama.cpp/pull/23604), 291 with 82 (RTX 3090, idle: 24,123 less
23,832 free), 3 MiB each.
"""

from __future__ import annotations

CONTEXT_MIB = 3.0  # of each multiprocessor

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


def alike_bytes(card_bytes: int) -> int:
    """The least memory of the cards that are taken to be like one of `card_bytes`."""
    below = (top for top, _ in _MULTIPROCESSORS if top * 2**30 < card_bytes)
    return max((top * 2**30 + 1 for top in below), default=1)


def multiprocessors_between(card_bytes: int | None, multiprocessors: int | None) -> tuple[int, int]:
    """The fewest and the most multiprocessors that the card may have."""
    if multiprocessors is not None:
        return multiprocessors, multiprocessors
    if card_bytes is None:
        return _UNKNOWN
    return next((span for top, span in _MULTIPROCESSORS if card_bytes <= top * 2**30), _UNKNOWN)
