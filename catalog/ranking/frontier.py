"""The models that no other one beats at once in memory and in score."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Point:
    model: str
    memory_bytes: int
    score: float


def frontier(points: Iterable[Point]) -> tuple[Point, ...]:
    """The Pareto frontier by rising memory. Of points with equal memory and score all stand on it."""
    found: list[Point] = []
    for point in sorted(points, key=lambda point: (point.memory_bytes, -point.score, point.model)):
        if not found or point.score > found[-1].score or _same(point, found[-1]):
            found.append(point)
    return tuple(found)


def _same(one: Point, other: Point) -> bool:
    return (one.memory_bytes, one.score) == (other.memory_bytes, other.score)
