"""The table: by engine and quantity how many cases, how many exact, the median and the worst error."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from calculator.accuracy.case import Case

NAIVE_FORMULAS = ("parameters_bits", "hidden_size", "full_attention")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Errors are relative; `worst` is the case furthest off. `formula` is empty for our own model."""

    engine: str
    quantity: str
    formula: str
    cases: int
    exact: int
    median_error: float
    worst_error: float
    worst: Case


def summary(cases: Iterable[Case]) -> tuple[Line, ...]:
    """One line per engine and quantity, followed by one for each naive formula that has an answer there."""
    groups: dict[tuple[str, str], list[Case]] = {}
    for case in cases:
        groups.setdefault((case.engine, case.quantity), []).append(case)
    return tuple(line for (engine, quantity), group in groups.items() for line in _lines(engine, quantity, group))


def _lines(engine: str, quantity: str, group: list[Case]) -> list[Line]:
    lines = [_line(engine, quantity, "", [(case, case.error) for case in group])]
    for formula in NAIVE_FORMULAS:
        answered = [(case, error) for case in group if (error := case.naive_error(formula)) is not None]
        if answered:
            lines.append(_line(engine, quantity, formula, answered))
    return lines


def _line(engine: str, quantity: str, formula: str, errors: list[tuple[Case, float]]) -> Line:
    worst, worst_error = max(errors, key=lambda pair: abs(pair[1]))
    return Line(
        engine=engine,
        quantity=quantity,
        formula=formula,
        cases=len(errors),
        exact=sum(not error for _, error in errors),
        median_error=median(abs(error) for _, error in errors),
        worst_error=worst_error,
        worst=worst,
    )
