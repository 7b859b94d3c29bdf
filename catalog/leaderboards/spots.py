"""What a chart is drawn from, in columns of numbers: most of a large board are dots, whose rows nobody needs."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress
from typing import Any, NamedTuple

from catalog.ranking.frontier import frontier


class Spot(NamedTuple):
    """A model by its primary key, with what decides where it stands, and its place among the spots."""

    model: int
    memory_bytes: int
    rank: int
    score: float
    place: int


@dataclass(frozen=True, slots=True, eq=False)
class Spots:
    """Models by rising memory, a column each: their places on the board, bytes, and scores by their places among
    `levels`, which are all scores of the board, the lowest first, each once.

    `chosen` has a 1 for each that stands in the chart. Spots that are chosen among others share all columns with them:
    these, those in the board's order (primary keys of `models`, and `ranks`), and what `kept` has of the whole.
    """

    order: Sequence[int]
    memory_bytes: Sequence[int]
    level_of: Sequence[int]
    levels: Sequence[float]
    models: Sequence[int]
    ranks: Sequence[int]
    chosen: bytes
    kept: dict[tuple[int, ...], Sequence[int]] = field(default_factory=dict)

    def __len__(self) -> int:
        return self.chosen.count(1)

    def at(self, place: int) -> Spot:
        at, score = self.order[place], self.levels[self.level_of[place]]
        return Spot(self.models[at], self.memory_bytes[place], self.ranks[at], score, place)

    def where(self, kept: Sequence[bool]) -> Spots:
        """Those for whose places on the board it is said to be so."""
        return replace(self, chosen=bytes(map(kept.__getitem__, self.order)))

    def ends(self) -> tuple[int, int, float, float]:
        """The least memory and the most, the lowest score and the highest; there must be one."""
        levels = set(compress(self.level_of, self.chosen))
        least, most = self.chosen.find(1), self.chosen.rfind(1)
        return self.memory_bytes[least], self.memory_bytes[most], self.levels[min(levels)], self.levels[max(levels)]

    def unbeaten(self) -> tuple[Spot, ...]:
        """The frontier, of which a model cannot be whose score is below that of one with less memory, or as much."""
        may, best = [], 0
        for place, level in compress(enumerate(self.level_of), self.chosen):
            if level >= best:
                may.append(place)
                best = level
        return frontier(map(self.at, may))


def spots_of(
    models: Sequence[int], memory_bytes: Sequence[int], ranks: Iterable[int], scores: Sequence[float]
) -> Spots:
    """From columns in the board's order; models whose memory is not known (0) stand in no chart."""
    order = sorted(compress(range(len(models)), memory_bytes), key=memory_bytes.__getitem__)
    levels = sorted(set(scores))
    at = {score: level for level, score in enumerate(levels)}
    return Spots(
        order=column("q", order),
        memory_bytes=column("q", (memory_bytes[place] for place in order)),
        level_of=column("q", (at[scores[place]] for place in order)),
        levels=column("d", levels),
        models=column("q", models),
        ranks=column("q", ranks),
        chosen=b"\1" * len(order),
    )


def column(kind: str, numbers: Iterable[float]) -> Sequence[Any]:
    """Side by side: a board of 17,000 takes less than a megabyte. By a list, which is copied at once."""
    return array(kind, list(numbers))
