"""Which bytes of an answer belong to llama.cpp's first context and which to the second, that guesses tokens ahead.

A program prints its buffers context by context, and the rows that a caller reads as an output buffer of their own.
"""

from __future__ import annotations

from collections.abc import Iterable

from calculator.memory.workload import Part

PREDICTING = frozenset({"cells_predicting", "prediction_at_work", "prediction_inputs"})
READ_OUT = frozenset({"logits_read", "hidden_states_read"})


def first_bytes(parts: Iterable[Part], key: str) -> int:
    """Bytes of the part named `key` in the first context, its output buffer left out."""
    return sum(term.bytes for part in parts if part.key == key for term in part.terms if term.key not in _OTHERS)


def second_bytes(parts: Iterable[Part], key: str) -> int:
    """Likewise in the second context; nought where there is none."""
    return sum(term.bytes for part in parts if part.key == key for term in part.terms if term.key in PREDICTING)


_OTHERS = PREDICTING | READ_OUT
