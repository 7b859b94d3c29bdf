"""Coordinates of the chart of index against memory; the template only draws them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress, count, pairwise
from math import ceil, floor, inf, log2

from calculator.charts import Mark
from calculator.hardware.cards import GIB
from catalog.leaderboards.spots import Spot, Spots, column
from catalog.models import LanguageModel

LEFT, RIGHT, TOP, BOTTOM = 48, 936, 16, 380
LABEL_ROOM = (110, 16)  # least distance between two names, across and down
MOST_LINKED = 400  # points; of more, those that others beat are dots alone
CELL = 4  # dots in one such square, a dot being 7 wide, are drawn as one
WIDE = 1024  # corners from one row to the next: many more than a row has, so that no run goes on in another
MOST_AXES = 8  # of which corners are kept: 70 KB each where 17,000 models stand
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


def scatter(
    spots: Spots,
    told: Callable[[Sequence[int]], Mapping[int, LanguageModel]],
    cards: tuple[str, int] | None = None,
) -> Scatter | None:
    """None for fewer than two. `told` gives the models that are named in it, by primary key.

    `cards` are the reader's own: how they are named, and how many bytes of them can be used.
    """
    if len(spots) < 2:
        return None
    least, greatest, lowest, highest = spots.ends()
    low = floor(log2(least / GIB))
    high = max(low + 1, ceil(log2(greatest / GIB)))
    bottom = 10 * floor(lowest / 10)
    top = max(bottom + 10, 10 * ceil(highest / 10))

    def x_of(memory_bytes: float) -> float:
        return round(LEFT + (RIGHT - LEFT) * (log2(memory_bytes / GIB) - low) / (high - low), 1)

    def y_of(index: float) -> float:
        return round(BOTTOM - (BOTTOM - TOP) * (index - bottom) / (top - bottom), 1)

    most = inf if cards is None else cards[1]
    edge = spots.unbeaten()
    beaten = bytearray(spots.chosen)
    for point in edge:
        beaten[point.place] = 0
    linked = _linked(spots, beaten) if len(spots) <= MOST_LINKED else []
    dots, dots_over = ("", "") if linked else _dots(spots, beaten, (low, high, bottom, top), x_of, y_of, most)
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
                point.memory_bytes > most,
            )
            for point in linked
        ),
        dots=dots,
        dots_over=dots_over,
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
                point.memory_bytes > most,
            )
            for place, (point, x, y) in enumerate(placed)
        ),
        memory_ticks=tuple(Mark(at=x_of(2**power * GIB), value=2**power) for power in range(max(0, low), high + 1)),
        index_ticks=tuple(Mark(at=y_of(value), value=value) for value in range(bottom, top + 1, 10)),
        models=len(spots),
        cards=_cards(*cards, x_of(cards[1])) if cards else None,
    )


def _cards(label: str, memory_bytes: int, x: float) -> Cards:
    anchor = "end" if x - LETTER * len(label) > LEFT else "start"
    return Cards(label, memory_bytes, x, inside=LEFT <= x <= RIGHT, anchor=anchor)


def _linked(spots: Spots, chosen: Iterable[int]) -> list[Spot]:
    """In the order of the board."""
    return [spots.at(place) for place in sorted(compress(count(), chosen), key=spots.order.__getitem__)]


def _dots(
    spots: Spots,
    drawn: Sequence[int],
    axes: tuple[int, ...],
    x_of: Callable[[float], float],
    y_of: Callable[[float], float],
    most: float,
) -> tuple[str, str]:
    """Of models that need no more than `most` bytes, and of the others, in the corners of squares of `CELL`.

    Axes begin and end at round numbers, so that most choices have those of another, and each model its corner.
    """
    corners = spots.kept.get(axes)
    if corners is None:
        if len(spots.kept) >= MOST_AXES:
            spots.kept.clear()
        corners = spots.kept[axes] = column("i", _corners(spots, x_of, y_of))
    held = bisect_right(spots.memory_bytes, most)
    return _strokes(compress(corners[:held], drawn[:held])), _strokes(compress(corners[held:], drawn[held:]))


def _corners(spots: Spots, x_of: Callable[[float], float], y_of: Callable[[float], float]) -> Iterator[int]:
    """Where a column begins is sought among memories in their order, and where a row does among levels: there are a few
    hundred of these, and many thousand models."""
    row_of: list[int] = []
    for row, start, stop in _alike(spots.levels, lambda score: -round(y_of(score) / CELL)):
        row_of += [WIDE * -row] * (stop - start)
    for across, start, stop in _alike(spots.memory_bytes, lambda size: round(x_of(size) / CELL)):
        for level in spots.level_of[start:stop]:
            yield row_of[level] + across


def _alike(ordered: Sequence[float], told: Callable[[float], int]) -> Iterator[tuple[int, int, int]]:
    """What is told of numbers that lie side by side, and where they begin and end; what is told never falls.

    >>> list(_alike([1, 2, 2, 7], lambda number: number // 2))
    [(0, 0, 1), (1, 1, 3), (3, 3, 4)]
    """
    start = 0
    while start < len(ordered):
        now = told(ordered[start])
        stop = bisect_right(ordered, now, lo=start, key=told)
        yield now, start, stop
        start = stop


def _strokes(corners: Iterable[int]) -> str:
    """Row by row, each `WIDE`; dots in one corner are one, those in neighbouring corners one stroke."""
    return "".join(
        f"M{CELL * (first % WIDE)} {CELL * (first // WIDE)}h{CELL * (last - first)}"
        for first, last in _runs(sorted(set(corners)))
    )


def _runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First and last of each run of consecutive numbers.

    >>> list(_runs([2, 3, 4, 7])), list(_runs([]))
    ([(2, 4), (7, 7)], [])
    """
    if not numbers:
        return
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
