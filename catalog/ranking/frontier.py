"""The models that no other one beats at once in memory and in score."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar


@dataclass(frozen=True, slots=True)
class Point:
    model: str
    memory_bytes: int
    score: float


class Placed(Protocol):
    """A `Point`, or what holds more beside."""

    @property
    def model(self) -> Any: ...
    @property
    def memory_bytes(self) -> int: ...
    @property
    def score(self) -> float: ...


P = TypeVar("P", bound=Placed)


def frontier(points: Iterable[P]) -> tuple[P, ...]:
    """The Pareto frontier by rising memory. Of points with equal memory and score all stand on it."""
    found: list[P] = []
    for point in sorted(points, key=lambda point: (point.memory_bytes, -point.score, point.model)):
        if not found or point.score > found[-1].score or _same(point, found[-1]):
            found.append(point)
    return tuple(found)


def _same(one: Placed, other: Placed) -> bool:
    return (one.memory_bytes, one.score) == (other.memory_bytes, other.score)
