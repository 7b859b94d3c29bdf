"""What a rank is over, and how much a model must have shown to be given one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from pydantic import PlainSerializer

from catalog.ranking.rule import MIN_ITEMS_PER_MODEL
from catalog.ranking.scores import Benchmark

CODING_CATEGORIES = frozenset({"coding", "agentic-coding"})


@dataclass(frozen=True, slots=True)
class Scope:
    """The categories that count (None: all) and the minimum coverage, in distinct benchmarks and categories.

    `min_items` is the number of items that a model needs to take part in the fit, ranked or not.
    """

    key: str
    categories: Annotated[frozenset[str], PlainSerializer(sorted)] | None  # equal documents are the same bytes
    min_benchmarks: int
    min_categories: int = 1
    min_items: int = MIN_ITEMS_PER_MODEL

    def covers(self, benchmark: Benchmark) -> bool:
        return not benchmark.composite and (self.categories is None or benchmark.category in self.categories)


OVERALL = Scope("overall", None, min_benchmarks=6, min_categories=4)
CODING = Scope("coding", CODING_CATEGORIES, min_benchmarks=3, min_items=3)


def category_scopes(benchmarks: Iterable[Benchmark]) -> tuple[Scope, ...]:
    """One scope per category, keyed `category/<slug>`: two benchmarks are asked for, or the only one there is."""
    held: dict[str, int] = {}
    for benchmark in benchmarks:
        if not benchmark.composite:
            held[benchmark.category] = held.get(benchmark.category, 0) + 1
    return tuple(
        Scope(f"category/{category}", frozenset({category}), min(2, count), min_items=1)
        for category, count in sorted(held.items())
    )
