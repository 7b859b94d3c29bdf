"""Coordinates of the chart of index against memory; the template only draws them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, log2
from typing import NamedTuple

from calculator.charts import Mark
from calculator.hardware.cards import GIB
from catalog.models import LanguageModel
from catalog.ranking.frontier import frontier

LEFT, RIGHT, TOP, BOTTOM = 48, 936, 16, 380
LABEL_ROOM = (110, 16)  # least distance between two names, across and down
MOST_LINKED = 400  # points; of more, those that others beat are dots alone
CELL = 4  # dots in one such square, a dot being 7 wide, are drawn as one
LETTER = 6.5  # mean width of a letter; a name without room to the left of its point is written to the right


@dataclass(frozen=True, slots=True)
class Best:
    """A model that no other beats at once in memory and in index. `labelled`: its name has room in the chart; `over`:
    it needs more than the reader's cards have."""

    slug: str
    name: str
    rank: int
    index: float
    memory_bytes: int
    x: float
    y: float
    labelled: bool
    anchor: str
    over: bool


@dataclass(frozen=True, slots=True)
class Other:
    """A model that another beats."""

    slug: str
    name: str
    index: float
    memory_bytes: int
    x: float
    y: float
    over: bool


@dataclass(frozen=True, slots=True)
class Cards:
    """What can be used of the reader's cards, as an upright line; `inside`: the line stands within the axes."""

    label: str
    memory_bytes: int
    x: float
    inside: bool
    anchor: str


@dataclass(frozen=True, slots=True)
class Scatter:
    """`others` are the models beside the best. Where they are too many for a link each, `dots` is one path of those
    that the reader's cards could hold, `dots_over` of the rest: strokes with round ends, one for all dots side by side,
    so that the size of a chart ends however many models there are."""

    others: tuple[Other, ...]
    dots: str
    dots_over: str
    line: str
    best: tuple[Best, ...]
    memory_ticks: tuple[Mark, ...]
    index_ticks: tuple[Mark, ...]
    models: int
    cards: Cards | None


class Spot(NamedTuple):
    """A model by its primary key, with what decides where it stands."""

    model: int
    memory_bytes: int
    rank: int
    score: float


def scatter(
    spots: Iterable[Spot],
    told: Callable[[Sequence[int]], Mapping[int, LanguageModel]],
    cards: tuple[str, int] | None = None,
) -> Scatter | None:
    """None for fewer than two. `told` gives the models that are named in it, by primary key.

    `cards` are the reader's own: how they are named, and how many bytes of them can be used.
    """
    points = list(spots)
    if len(points) < 2:
        return None
    low = floor(log2(min(point.memory_bytes for point in points) / GIB))
    high = max(low + 1, ceil(log2(max(point.memory_bytes for point in points) / GIB)))
    bottom = 10 * floor(min(point.score for point in points) / 10)
    top = max(bottom + 10, 10 * ceil(max(point.score for point in points) / 10))

    def x_of(memory_bytes: float) -> float:
        return round(LEFT + (RIGHT - LEFT) * (log2(memory_bytes / GIB) - low) / (high - low), 1)

    def y_of(index: float) -> float:
        return round(BOTTOM - (BOTTOM - TOP) * (index - bottom) / (top - bottom), 1)

    def over(point: Spot) -> bool:
        return cards is not None and point.memory_bytes > cards[1]

    def dots(drawn: Iterable[Spot]) -> str:
        return _strokes((x_of(point.memory_bytes), y_of(point.score)) for point in drawn)

    edge = frontier(points)
    best = {point.model for point in edge}
    beaten = [point for point in points if point.model not in best]
    linked = beaten if len(points) <= MOST_LINKED else []
    models = told([point.model for point in (*edge, *linked)])
    edge = tuple(point for point in edge if point.model in models)  # and was not deleted meanwhile
    linked = [point for point in linked if point.model in models]
    if not edge:
        return None
    placed = [(point, x_of(point.memory_bytes), y_of(point.score)) for point in edge]
    labelled = _with_room([(x, y) for _point, x, y in placed])
    return Scatter(
        others=tuple(
            Other(
                models[point.model].slug,
                models[point.model].name,
                point.score,
                point.memory_bytes,
                x_of(point.memory_bytes),
                y_of(point.score),
                over(point),
            )
            for point in linked
        ),
        dots=dots(point for point in beaten if not linked and not over(point)),
        dots_over=dots(point for point in beaten if not linked and over(point)),
        line=_steps([(x, y) for _point, x, y in placed]),
        best=tuple(
            Best(
                models[point.model].slug,
                models[point.model].name,
                point.rank,
                point.score,
                point.memory_bytes,
                x,
                y,
                place in labelled,
                "end" if x - LETTER * len(models[point.model].name) > LEFT else "start",
                over(point),
            )
            for place, (point, x, y) in enumerate(placed)
        ),
        memory_ticks=tuple(Mark(at=x_of(2**power * GIB), value=2**power) for power in range(max(0, low), high + 1)),
        index_ticks=tuple(Mark(at=y_of(value), value=value) for value in range(bottom, top + 1, 10)),
        models=len(points),
        cards=_cards(*cards, x_of(cards[1])) if cards else None,
    )


def _cards(label: str, memory_bytes: int, x: float) -> Cards:
    anchor = "end" if x - LETTER * len(label) > LEFT else "start"
    return Cards(label, memory_bytes, x, inside=LEFT <= x <= RIGHT, anchor=anchor)


def _strokes(spots: Iterable[tuple[float, float]]) -> str:
    """Dots in the corners of squares of `CELL`, row by row; those in neighbouring corners are one stroke."""
    rows: defaultdict[int, set[int]] = defaultdict(set)
    for x, y in spots:
        rows[round(y / CELL)].add(round(x / CELL))
    return "".join(
        f"M{CELL * first} {CELL * row}h{CELL * (last - first)}"
        for row, columns in sorted(rows.items())
        for first, last in _runs(sorted(columns))
    )


def _runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First and last of each run of consecutive numbers.

    >>> list(_runs([2, 3, 4, 7]))
    [(2, 4), (7, 7)]
    """
    ends = [place for place, (one, other) in enumerate(pairwise(numbers), 1) if other > one + 1]
    for start, stop in pairwise((0, *ends, len(numbers))):
        yield numbers[start], numbers[stop - 1]


def _steps(corners: Sequence[tuple[float, float]]) -> str:
    """The frontier as stairs: what a little more memory still buys."""
    first, *rest = corners
    return f"M{first[0]} {first[1]}" + "".join(f"H{x}V{y}" for x, y in rest) + f"H{RIGHT}"


def _with_room(spots: Sequence[tuple[float, float]]) -> set[int]:
    """Places whose names do not touch one that is named already, from the best down."""
    kept: list[int] = []
    across, down = LABEL_ROOM
    for place in reversed(range(len(spots))):
        x, y = spots[place]
        if all(abs(x - spots[other][0]) >= across or abs(y - spots[other][1]) >= down for other in kept):
            kept.append(place)
    return set(kept)
