"""The cases that are furthest off, each with what is known of why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, NamedTuple

from calculator.accuracy.case import Case
from calculator.accuracy.references import reference_lines


class Miss(NamedTuple):
    """`cause` is a key of `remarks.REMARKS`, empty where nobody knows."""

    case: Case
    cause: str


def worst(cases: Iterable[Case], number: int) -> list[Miss]:
    """One for each engine, quantity and model: its settings mostly miss for the same cause."""
    found: dict[tuple[str, str, str], Case] = {}
    for case in by_error(cases):
        found.setdefault((case.engine, case.quantity, case.model), case)
    missed = (case for case in found.values() if case.error)
    return [Miss(case, cause_of(case)) for case in islice(missed, number)]


def by_error(cases: Iterable[Case]) -> list[Case]:
    """The furthest off first."""
    return sorted(cases, key=lambda case: -abs(case.error))


def cause_of(case: Case) -> str:
    """That of its own line, or the first in `causes.jsonl` whose keys all agree with the case."""
    return case.remark or next((line["remark"] for line in reference_lines("causes.jsonl") if means(line, case)), "")


def means(line: Mapping[str, Any], case: Case) -> bool:
    named = ("engine", "quantity", "model", "family")
    return all(line.get(key, getattr(case, key)) == getattr(case, key) for key in named)
