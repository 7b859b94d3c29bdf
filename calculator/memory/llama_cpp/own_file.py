"""A file of the reader's own, of which the size alone is known: `UD-*`, QAT, mixtures made by hand.

Its bytes are taken to lie where those of the chosen preset lie, in the same proportions. What a file holds besides
tensors (vocabulary, chat template: a few MB) is counted with them.
"""

from __future__ import annotations

from calculator.architecture.shape import Shape
from calculator.memory.llama_cpp.mixture import Recipe
from calculator.memory.llama_cpp.prediction import in_file
from calculator.memory.llama_cpp.weights import Weights, slots_of
from calculator.memory.workload import Term, Workload, WorkloadError

LEAST_BITS = 1
MOST_BITS = 32
TOKEN_BYTES = 128
"""The most that a token of the vocabulary takes: its text, type, score and merge. Qwen3 writes about 40 for each."""


def check_file(shape: Shape, workload: Workload) -> None:
    """Raises WorkloadError for a size that no file of this model has."""
    if workload.file_bytes is None:
        return
    weights = sum(slots_of(in_file(shape, workload)).elements.values())
    least, most = weights * LEAST_BITS // 8, weights * MOST_BITS // 8 + TOKEN_BYTES * shape.vocab_size
    if not least <= workload.file_bytes <= most:
        raise WorkloadError("file_bytes", "size_out_of_bounds", value=workload.file_bytes, least=least, most=most)


def share(size: int, file_bytes: int, plain: int) -> int:
    """What `size` bytes of the preset's file come to in a file of `file_bytes`."""
    return size * file_bytes // plain


def sized(plain: Weights, recipe: Recipe, file_bytes: int) -> Weights:
    """The same weights in a file of `file_bytes`: one term for each place."""

    def told(terms: tuple[Term, ...]) -> tuple[Term, ...]:
        size = sum(term.bytes for term in terms)
        values: dict[str, int | str] = {
            "format": recipe.preset,
            "file": file_bytes,
            "part": size,
            "whole": plain.file_bytes,
        }
        return (Term("share_of_file", values, share(size, file_bytes, plain.file_bytes)),) if size else ()

    return Weights.of(file_bytes=file_bytes, cards=tuple(map(told, plain.cards)), ram=told(plain.ram))
