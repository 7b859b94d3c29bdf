"""The error of one quantity by kind of model and by setting: how even the rule is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median

from calculator.accuracy.case import Case

PLAIN = frozenset({"context", "kv", "slots", "card"})


@dataclass(frozen=True, slots=True)
class Spread:
    """Errors are relative and without sign, but for the worst; `tail` is the one that nine in ten stay below."""

    name: str
    cases: int
    exact: int
    median: float
    tail: float
    worst: Case


def by_setting(case: Case) -> str:
    """The settings that differ from the server's own, or the plain runs by cache and slots."""
    turned = [key for key in case.configuration if key not in PLAIN]
    return "+".join(turned) or f"kv={case.configuration['kv']} slots={case.configuration['slots']}"


def breakdown(cases: Iterable[Case], name_of: Callable[[Case], str]) -> list[Spread]:
    """One line per name, sorted, and one for all of them."""
    groups: defaultdict[str, list[Case]] = defaultdict(list)
    everything = list(cases)
    for case in everything:
        groups[name_of(case)].append(case)
    return [*(_spread(name, groups[name]) for name in sorted(groups)), _spread("all", everything)]


def _spread(name: str, cases: list[Case]) -> Spread:
    errors = sorted(abs(case.error) for case in cases)
    return Spread(
        name=name,
        cases=len(cases),
        exact=sum(case.exact for case in cases),
        median=median(errors),
        tail=errors[int(0.9 * len(errors))],
        worst=max(cases, key=lambda case: abs(case.error)),
    )
