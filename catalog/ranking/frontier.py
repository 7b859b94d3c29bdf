"""The models that no other one beats at once in memory and in score."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

M = TypeVar("M")
"""How a model is named."""


@dataclass(frozen=True, slots=True)
class Point(Generic[M]):
    model: M
    memory_bytes: int
    score: float


def frontier(points: Iterable[Point[M]]) -> tuple[Point[M], ...]:
    """The Pareto frontier by rising memory. Of points with equal memory and score all stand on it."""
    found: list[Point[M]] = []
    for point in sorted(points, key=lambda point: (point.memory_bytes, -point.score, str(point.model))):
        if not found or point.score > found[-1].score or _same(point, found[-1]):
            found.append(point)
    return tuple(found)


def _same(one: Point[M], other: Point[M]) -> bool:
    return (one.memory_bytes, one.score) == (other.memory_bytes, other.score)
