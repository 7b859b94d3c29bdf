"""The table: by engine and quantity how many cases, how many exact, the median and the worst error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil
from statistics import median

from calculator.accuracy.case import Case

NAIVE_FORMULAS = ("parameters_bits", "hidden_size", "full_attention")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Errors are relative; `worst` is the case furthest off. `formula` is empty for our own model. `inside` of the
    `with_interval` cases for which we state one lie in it.
    """

    engine: str
    quantity: str
    formula: str
    cases: int
    exact: int
    median_error: float
    p90_error: float  # nine of ten cases are no further off
    worst_error: float
    worst: Case
    with_interval: int = 0
    inside: int = 0


def summary(cases: Iterable[Case]) -> tuple[Line, ...]:
    """One line per engine and quantity, followed by one for each naive formula that has an answer there."""
    groups: dict[tuple[str, str], list[Case]] = {}
    for case in cases:
        groups.setdefault((case.engine, case.quantity), []).append(case)
    return tuple(line for (engine, quantity), group in groups.items() for line in _lines(engine, quantity, group))


def by_family(cases: Iterable[Case]) -> Mapping[str, tuple[Line, ...]]:
    """For each model type a line per engine and quantity, without the naive formulas."""
    families: dict[str, list[Case]] = {}
    for case in cases:
        families.setdefault(case.family, []).append(case)
    return {
        family: tuple(line for line in summary(found) if not line.formula) for family, found in sorted(families.items())
    }


def _lines(engine: str, quantity: str, group: list[Case]) -> list[Line]:
    lines = [_line(engine, quantity, "", [(case, case.error) for case in group])]
    for formula in NAIVE_FORMULAS:
        answered = [(case, error) for case in group if (error := case.naive_error(formula)) is not None]
        if answered:
            lines.append(_line(engine, quantity, formula, answered))
    return lines


def _line(engine: str, quantity: str, formula: str, errors: list[tuple[Case, float]]) -> Line:
    sizes = sorted(abs(error) for _, error in errors)
    worst, worst_error = max(errors, key=lambda pair: abs(pair[1]))
    return Line(
        engine=engine,
        quantity=quantity,
        formula=formula,
        cases=len(errors),
        exact=sum(not error for _, error in errors),
        median_error=median(sizes),
        p90_error=sizes[ceil(0.9 * len(sizes)) - 1],
        worst_error=worst_error,
        worst=worst,
        with_interval=0 if formula else sum(case.inside is not None for case, _ in errors),
        inside=0 if formula else sum(case.inside is True for case, _ in errors),
    )
