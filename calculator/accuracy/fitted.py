"""Constants that were fitted to public figures: fitted anew to all of them, and to all but one family at a time.

Everything else in the memory model follows from rules of the engines. A constant multiplies a feature that the model
computes (multiprocessors, captured pieces); the fit minimises the squares of the relative errors.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import median

from calculator.accuracy.case import Case
from calculator.accuracy.cases import cases
from calculator.accuracy.references import reference_lines
from calculator.hardware.cards import CUDA_KEEPS_MIB, CUDA_KEEPS_MIB_A_GIB
from calculator.memory.llama_cpp.overhead import CONTEXT_MIB, WORKSPACE_EACH_MIB, WORKSPACE_MIB
from calculator.memory.vllm.overhead import COMMUNICATION, GRAPH_PIECE_BYTES, WORKSPACES

MIB = 2**20
OTHER_GRAPHS = ("more_graphs", "whole_alone")
"""Remarks on runs that captured other graphs than the ones that are counted."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One public figure, in MiB; `family` is the model type, or the card where the figure is one of cards."""

    family: str
    features: tuple[float, ...]
    truth: float


@dataclass(frozen=True, slots=True)
class Constant:
    """`used` are the numbers in the code, one for each feature."""

    key: str
    used: tuple[float, ...]
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """Relative errors without sign. `fitted` are those of the numbers in use, `held_out` those of numbers that were
    fitted without the family they are asked about; None where the other families do not settle them."""

    constant: Constant
    refit: tuple[float, ...]
    fitted_median: float
    fitted_worst: float
    held_out_median: float | None
    held_out_worst: float | None


@cache
def lines() -> tuple[Line, ...]:
    return tuple(_line(constant) for constant in constants())


def constants() -> tuple[Constant, ...]:
    of_cards: defaultdict[str, list[Sample]] = defaultdict(list)
    for line in reference_lines("constants.jsonl"):
        of_cards[line["constant"]].append(Sample(line["card"], tuple(line["features"]), line["mib"]))
    vllm = [case for case in cases() if case.engine == "vllm"]
    graphs = [case for case in vllm if case.remark not in OTHER_GRAPHS]
    each = COMMUNICATION.bytes + WORKSPACES.bytes
    return (
        Constant("cuda_keeps", (CUDA_KEEPS_MIB, CUDA_KEEPS_MIB_A_GIB), tuple(of_cards["cuda_keeps"])),
        Constant("llama_cpp_context", (CONTEXT_MIB,), tuple(of_cards["llama_cpp_context"])),
        Constant(
            "llama_cpp_overhead",
            (WORKSPACE_MIB, CONTEXT_MIB + WORKSPACE_EACH_MIB),
            tuple(of_cards["llama_cpp_overhead"]),
        ),
        Constant("vllm_graphs", (GRAPH_PIECE_BYTES / MIB,), _per(graphs, "cuda_graphs", GRAPH_PIECE_BYTES / MIB)),
        Constant(
            "vllm_workspaces",
            (WORKSPACES.bytes / MIB, COMMUNICATION.bytes / MIB),
            tuple(
                Sample(case.family, (1, float(case.predicted == each)), case.truth / MIB)
                for case in vllm
                if case.quantity == "workspaces"
            ),
        ),
    )


def _per(cases: Iterable[Case], quantity: str, used: float) -> tuple[Sample, ...]:
    """What our figure is `used` times of."""
    return tuple(
        Sample(case.family, (case.predicted / MIB / used,), case.truth / MIB)
        for case in cases
        if case.quantity == quantity
    )


def _line(constant: Constant) -> Line:
    used = [_error(constant.used, sample) for sample in constant.samples]
    held_out = list(_held_out(constant.samples))
    refit = fit(constant.samples)
    return Line(
        constant=constant,
        refit=refit or (),
        fitted_median=median(used),
        fitted_worst=max(used),
        held_out_median=median(held_out) if held_out else None,
        held_out_worst=max(held_out) if held_out else None,
    )


def _held_out(samples: Sequence[Sample]) -> Iterable[float]:
    for family in dict.fromkeys(sample.family for sample in samples):
        numbers = fit([sample for sample in samples if sample.family != family])
        if numbers is not None:
            yield from (_error(numbers, sample) for sample in samples if sample.family == family)


def _error(numbers: Sequence[float], sample: Sample) -> float:
    predicted = sum(number * feature for number, feature in zip(numbers, sample.features, strict=True))
    return abs(predicted - sample.truth) / sample.truth


def fit(samples: Sequence[Sample]) -> tuple[float, ...] | None:
    """The numbers whose products with the features come nearest to the truths, relatively; None where they are open.

    Normal equations of one or two numbers, each row divided by its truth.

    >>> fit([Sample("a", (1, 10), 25), Sample("b", (1, 20), 45)])
    (5.0, 2.0)
    """
    rows = [tuple(feature / sample.truth for feature in sample.features) for sample in samples]
    if not rows:
        return None
    size = len(rows[0])
    matrix = [[sum(row[i] * row[j] for row in rows) for j in range(size)] for i in range(size)]
    right = [sum(row[i] for row in rows) for i in range(size)]
    if size == 1:
        return (right[0] / matrix[0][0],)
    (a, b), (c, d) = matrix
    determinant = a * d - b * c
    if abs(determinant) < 1e-12 * a * max(d, 1e-300) or d == 0:
        return None
    numbers = (right[0] * d - b * right[1], a * right[1] - c * right[0])
    return tuple(round(number / determinant, 9) for number in numbers)
