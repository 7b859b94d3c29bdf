"""Coordinates of the memory-against-context chart; the template only draws them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, log2, log10

from calculator.architecture import Shape
from calculator.memory import Workload, estimate
from calculator.stops import context_stops
from calculator.templatetags.figures import GIB

WIDTH, HEIGHT = 480, 285
LEFT, RIGHT, TOP, BOTTOM = 46, 446, 24, 250
LABEL_ROOM = 34  # least distance between two labels on the context axis


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    at: float
    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    label: str
    path: str
    chosen: bool
    label_y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    lines: tuple[Line, ...]
    grid: tuple[Mark, ...]  # horizontal lines, value in GiB
    ticks: tuple[Mark, ...]  # context stops that get a label
    dot: tuple[float, float]


def memory_by_context(shape: Shape, workload: Workload, formats: Sequence[str], max_context_tokens: int) -> Chart:
    """Required memory over every context stop, one line per weight format, on a logarithmic context axis."""
    stops = context_stops(max_context_tokens)
    series = {
        name: [
            estimate(shape, replace(workload, weight_format=name, context_tokens=stop)).total_bytes / GIB
            for stop in stops
        ]
        for name in formats
    }
    step = _round_step(max(max(values) for values in series.values()))
    most = step * ceil(max(max(values) for values in series.values()) / step)

    span = log2(stops[-1] / stops[0]) or 1.0

    def x_of(tokens: float) -> float:
        return round(LEFT + (RIGHT - LEFT) * log2(max(tokens, stops[0]) / stops[0]) / span, 1)

    def y_of(amount: float) -> float:
        return round(BOTTOM - (BOTTOM - TOP) * amount / most, 1)

    lines = tuple(
        Line(
            label=name,
            path="M" + " L".join(f"{x_of(stop)} {y_of(value)}" for stop, value in zip(stops, values, strict=True)),
            chosen=name == workload.weight_format,
            label_y=y_of(values[len(values) // 2]) - 6,
        )
        for name, values in series.items()
    )
    here = estimate(shape, workload).total_bytes / GIB
    return Chart(
        lines=lines,
        grid=tuple(Mark(at=y_of(amount), value=amount) for amount in range(0, most + 1, step)),
        ticks=_spaced(tuple(Mark(at=x_of(stop), value=stop) for stop in stops)),
        dot=(x_of(workload.context_tokens), y_of(here)),
    )


def _round_step(most: float) -> int:
    """A step of 1, 2 or 5 times a power of ten that gives four to eight grid lines."""
    step = 10 ** max(0, int(log10(max(most, 1))) - 1)
    for factor in (1, 2, 5, 10, 20, 50):
        if most / (step * factor) <= 6:
            return step * factor
    return step * 100


def _spaced(marks: tuple[Mark, ...]) -> tuple[Mark, ...]:
    """Drop labels that would touch, from the right, so that the maximum always keeps its own."""
    kept: list[Mark] = []
    for mark in reversed(marks):
        if not kept or kept[-1].at - mark.at >= LABEL_ROOM:
            kept.append(mark)
    return tuple(reversed(kept))
