"""The cases that are furthest off, each with what is known of why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    for case in sorted(cases, key=lambda case: -abs(case.error)):
        found.setdefault((case.engine, case.quantity, case.model), case)
        if len(found) == number:
            break
    return [Miss(case, cause_of(case)) for case in found.values() if case.error]


def cause_of(case: Case) -> str:
    """That of its own line, or the first in `causes.jsonl` whose keys all agree with the case."""
    return case.remark or next((line["remark"] for line in reference_lines("causes.jsonl") if _means(line, case)), "")


def _means(line: Mapping[str, Any], case: Case) -> bool:
    named = ("engine", "quantity", "model", "family")
    return all(line.get(key, getattr(case, key)) == getattr(case, key) for key in named)
