"""Constants that were fitted to public figures: fitted anew to all of them, and to all but one family at a time.

A constant multiplies a feature that the model computes (multiprocessors, captured pieces); the fit minimises the
squares of the relative errors.

Others are taken from single figures or are allowances, and cannot be fitted: vLLM's CUDA context, which SGLang and
fine-tuning share, and how wide its intervals are (`memory/vllm/constants.py`); what PyTorch puts on a card beside
tensors, and what its allocator holds (`memory/transformers/overhead.py`), which were measured on one card; the
width of llama.cpp's interval and its encoders' buffers (`memory/llama_cpp/overhead.py`, `vision.py`); what stays free
on top (`hardware/headroom.py`, `allowance` of `hardware/engines`); what a card does not give (`hardware/cards.py`,
`reserve`). The rest of the memory model follows from rules of the engines.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import median
from typing import Any

from calculator.accuracy.measured import measured_workload
from calculator.accuracy.references import measured_shape, reference_lines
from calculator.architecture import Shape
from calculator.hardware.cards import CUDA_KEEPS_MIB, CUDA_KEEPS_MIB_A_GIB
from calculator.memory import estimate
from calculator.memory.cuda_context import CONTEXT_MIB
from calculator.memory.llama_cpp.overhead import WORKSPACE_EACH_MIB, WORKSPACE_MIB
from calculator.memory.vllm.constants import (
    COMMUNICATION,
    COMMUNICATION_ON_HOPPER,
    GRAPH_LAYER_BYTES,
    GRAPH_PIECE_BYTES,
    WORKSPACES_MIB,
)
from calculator.memory.vllm.serving import HOPPER, is_hopper
from calculator.memory.workload import Estimate, Term

MIB = 2**20
OTHER_GRAPHS = "more_graphs"
"""The remark on runs of which it is not known what they captured."""
WITHOUT = {"pieces_alone": "layers", "whole_alone": "pieces"}
"""Remarks on runs that captured pieces alone or whole graphs alone, and the value of our term that they lack."""


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
    return (
        Constant("cuda_keeps", (CUDA_KEEPS_MIB, CUDA_KEEPS_MIB_A_GIB), tuple(of_cards["cuda_keeps"])),
        Constant("llama_cpp_context", (CONTEXT_MIB,), tuple(of_cards["llama_cpp_context"])),
        Constant(
            "llama_cpp_overhead",
            (WORKSPACE_MIB, CONTEXT_MIB + WORKSPACE_EACH_MIB),
            tuple(of_cards["llama_cpp_overhead"]),
        ),
        Constant("vllm_graphs", (GRAPH_PIECE_BYTES / MIB, GRAPH_LAYER_BYTES / MIB), tuple(_graphs())),
        Constant("vllm_workspaces", (WORKSPACES_MIB,), (*_workspaces(), *of_cards["vllm_workspaces"])),
        Constant(
            "vllm_communication",
            (COMMUNICATION_ON_HOPPER.bytes / MIB, COMMUNICATION.bytes / MIB),
            tuple(_communication()),
        ),
    )


def _graphs() -> Iterator[Sample]:
    """Of one card: pieces times sizes, and layers of whole graphs times sizes. FlashInfer's workspace, which the
    server first fills while it captures, follows from its source and is taken off the figure."""
    for line, shape, answer in _vllm("cuda_graphs"):
        remark = line.get("remark", "")
        if remark != OTHER_GRAPHS:
            terms = _overhead(answer)
            counted = {key: int(value) for key, value in terms["cuda_graphs"].values.items()}
            counted[WITHOUT.get(remark, "")] = 0
            share = counted["copies"] / answer.workload.devices
            pieces, layers = counted["pieces"] * counted["sizes"] * share, counted["layers"] * counted["whole"] * share
            workspace = terms["attention_workspace"].bytes if "attention_workspace" in terms else 0
            truth = line["truth"] - workspace / answer.workload.devices
            yield Sample(shape.model_type, (pieces, layers), truth / MIB)


def _workspaces() -> Iterator[Sample]:
    """Of runs on one card whose multiprocessors are known, which they are multiplied with."""
    for line, _, answer in _vllm("workspaces"):
        found = answer.workload.multiprocessors
        if found is not None and answer.workload.devices == 1:
            yield Sample(f"{found} multiprocessors", (found,), line["truth"] / MIB)


def _communication() -> Iterator[Sample]:
    """What the workspaces leave of a figure of several cards: on Hopper, and elsewhere."""
    for line, shape, answer in _vllm("workspaces"):
        terms = _overhead(answer)
        if "communication" in terms:
            hopper = is_hopper(answer.workload.capability or HOPPER)
            truth = line["truth"] - terms["workspaces"].bytes / answer.workload.devices
            yield Sample(shape.model_type, (float(hopper), float(not hopper)), truth / MIB)


def _vllm(quantity: str) -> Iterator[tuple[Mapping[str, Any], Shape, Estimate]]:
    for line in reference_lines("measured.jsonl"):
        if line["engine"] == "vllm" and line["quantity"] == quantity:
            shape = measured_shape(line)
            yield line, shape, estimate(shape, measured_workload(line))


def _overhead(answer: Estimate) -> dict[str, Term]:
    return {term.key: term for term in answer.part("overhead").terms}


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
    if determinant <= 1e-12 * a * d:
        return None
    numbers = (right[0] * d - b * right[1], a * right[1] - c * right[0])
    return tuple(round(number / determinant, 9) for number in numbers)
