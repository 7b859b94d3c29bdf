"""What a chart is drawn from, in columns of numbers: most of a large board are dots, whose rows nobody needs."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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

    Spots that are chosen among others share these and the columns that are in the board's order: primary keys of
    `models`, and `ranks`.
    """

    order: Sequence[int]
    memory_bytes: Sequence[int]
    level_of: Sequence[int]
    levels: Sequence[float]
    models: Sequence[int]
    ranks: Sequence[int]

    def __len__(self) -> int:
        return len(self.order)

    def at(self, place: int) -> Spot:
        at, score = self.order[place], self.levels[self.level_of[place]]
        return Spot(self.models[at], self.memory_bytes[place], self.ranks[at], score, place)

    def where(self, kept: Sequence[bool]) -> Spots:
        """Those for whose places on the board it is said to be so."""
        chosen = list(map(kept.__getitem__, self.order))
        order, memory_bytes, level_of = (
            column("q", compress(each, chosen)) for each in (self.order, self.memory_bytes, self.level_of)
        )
        return Spots(order, memory_bytes, level_of, self.levels, self.models, self.ranks)

    def unbeaten(self) -> tuple[Spot, ...]:
        """The frontier, of which a model cannot be whose score is below that of one with less memory, or as much."""
        may, best = [], 0
        for place, level in enumerate(self.level_of):
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
    )


def column(kind: str, numbers: Iterable[float]) -> Sequence[Any]:
    """Side by side: a board of 17,000 takes less than a megabyte. By a list, which is copied at once."""
    return array(kind, list(numbers))
