"""Coordinates of the plot of predictions against truth; the template only draws them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from calculator.accuracy import Case

WIDTH, HEIGHT = 480, 330
LEFT, RIGHT, TOP, BOTTOM = 62, 466, 14, 292
MOST_LABELS = 6  # on an axis


@dataclass(frozen=True, slots=True)
class AxisMark:
    """A whole power of ten of the axes, in bytes, tokens or parameters, and where it stands on each."""

    x: float
    y: float
    value: int
    labelled: bool


@dataclass(frozen=True, slots=True)
class Dots:
    """All predictions of one formula: a path of strokes of no length with round ends. `formula` is empty for ours."""

    formula: str
    path: str


@dataclass(frozen=True, slots=True)
class Plot:
    """Both axes are the same and logarithmic, so that what is right lies on the diagonal. Ours is drawn last."""

    dots: tuple[Dots, ...]
    marks: tuple[AxisMark, ...]


def plot(cases: Sequence[Case], formulas: Iterable[str]) -> Plot | None:
    """None for a quantity that has no two truths above zero to draw."""
    drawn = [case for case in cases if case.truth > 0]
    if len({case.truth for case in drawn}) < 2:
        return None
    series = {formula: _pairs(drawn, formula) for formula in (*formulas, "")}
    values = [value for pairs in series.values() for pair in pairs for value in pair]
    low, high = floor(log10(min(values))), ceil(log10(max(values)))
    high = max(high, low + 1)

    def share(value: int) -> float:
        return (log10(value) - low) / (high - low)

    def x_of(value: int) -> float:
        return round(LEFT + (RIGHT - LEFT) * share(value))

    def y_of(value: int) -> float:
        return round(BOTTOM - (BOTTOM - TOP) * share(value))

    every = ceil((high - low + 1) / MOST_LABELS)
    return Plot(
        dots=tuple(Dots(formula, _path(pairs, x_of, y_of)) for formula, pairs in series.items()),
        marks=tuple(
            AxisMark(x_of(10**power), y_of(10**power), 10**power, (power - low) % every == 0)
            for power in range(low, high + 1)
        ),
    )


def _pairs(cases: Iterable[Case], formula: str) -> list[tuple[int, int]]:
    """(truth, prediction) of a formula; what it says to be nothing has no place on a logarithmic axis."""
    said = ((case.truth, case.naive.get(formula) if formula else case.predicted) for case in cases)
    return [(truth, predicted) for truth, predicted in said if predicted is not None and predicted > 0]


def _path(pairs: Iterable[tuple[int, int]], x_of: Callable[[int], float], y_of: Callable[[int], float]) -> str:
    """Each place once: thousands of cases lie on a few hundred."""
    places = sorted({(x_of(truth), y_of(predicted)) for truth, predicted in pairs})
    return "".join(f"M{x} {y}h0" for x, y in places)
