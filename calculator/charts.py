"""Coordinates of the memory-against-context chart; the template only draws them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import ceil, log2, log10

from calculator.architecture import Shape
from calculator.context_stops import context_stops
from calculator.figures import context
from calculator.fit_words import bytes_at, card_label, needed
from calculator.hardware import COUNTS, Card, engine_named
from calculator.hardware.cards import GIB
from calculator.memory import Workload

WIDTH, HEIGHT = 480, 285
LEFT, RIGHT, TOP, BOTTOM = 46, 446, 24, 250
CARD_LABEL_ROOM = 13
LABEL_RISE, LABEL_DROP = 6, 14  # of a line's label, above or below it
LABEL_ROOM = 34  # least distance between two labels on the context axis
LABEL_CHARACTER = 6.5  # of the widest system font, at the chart's 11 px
LABEL_GAP = 4  # what stays free between two labels at least


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    at: float
    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    label: str
    path: str
    chosen: bool
    label_y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CardLine:
    """What so many cards offer; the label of the highest stands, others only where there is room."""

    label: str
    at: float


@dataclass(frozen=True, kw_only=True, eq=False)  # known by itself: one for each workload without its context
class Frame:
    lines: tuple[Line, ...]
    cards: tuple[CardLine, ...]  # usable memory of the reader's cards
    grid: tuple[Mark, ...]  # horizontal lines, value in GiB
    ticks: tuple[Mark, ...]  # context stops that get a label
    stops: tuple[int, ...]
    most: int  # GiB at the top

    def x_of(self, tokens: float) -> float:
        first, span = self.stops[0], log2(self.stops[-1] / self.stops[0]) or 1.0
        return round(LEFT + (RIGHT - LEFT) * log2(max(tokens, first) / first) / span, 1)

    def y_of(self, amount: float) -> float:
        return round(BOTTOM - (BOTTOM - TOP) * amount / self.most, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """`frame` is the same at every context; the `dot` is where the reader's own is."""

    frame: Frame
    dot: tuple[float, float]


def memory_by_context(
    shape: Shape,
    workload: Workload,
    formats: Sequence[str],
    max_context_tokens: int,
    card: Card | None = None,
    count: int = 1,
) -> Chart:
    """Required memory over every context stop, one line per weight format, on a logarithmic context axis.

    With `card`, a line for the usable memory of `count` of it, and of the usual larger sets that the axis reaches.
    """
    stops = context_stops(max_context_tokens)
    frame = _frame(shape, workload.but(context_tokens=stops[0]), tuple(formats), stops, card, count)
    here = needed(shape, engine_named(workload.engine).rounded(workload), card, count).bytes / GIB
    return Chart(frame=frame, dot=(frame.x_of(workload.context_tokens), frame.y_of(here)))


@lru_cache(maxsize=128)
def _frame(
    shape: Shape, first: Workload, formats: tuple[str, ...], stops: tuple[int, ...], card: Card | None, count: int
) -> Frame:
    needs = bytes_at(shape, first, stops, card, count, formats)
    series = {name: [size / GIB for size in needs[name] if size is not None] for name in formats}
    highest = max(max(values) for values in series.values())
    if card and (usable := card.usable_of(count) / GIB) < 3 * highest:
        highest = max(highest, usable)
    step = _round_step(highest)
    empty = Frame(lines=(), cards=(), grid=(), ticks=(), stops=stops, most=step * ceil(highest / step))
    x_of, y_of, most = empty.x_of, empty.y_of, empty.most
    heights = _label_heights({name: y_of(values[len(values) // 2]) for name, values in series.items()})
    lines = tuple(
        Line(
            label=name,
            path="M" + " L".join(f"{x_of(stop)} {y_of(value)}" for stop, value in zip(stops, values, strict=True)),
            chosen=name == first.weight_format,
            label_y=heights[name],
        )
        for name, values in series.items()
    )
    return replace(
        empty,
        lines=lines,
        cards=tuple(_card_lines(card, count, most, y_of)) if card else (),
        grid=tuple(Mark(at=y_of(amount), value=amount) for amount in range(0, most + 1, step)),
        ticks=_spaced(tuple(Mark(at=x_of(stop), value=stop) for stop in stops)),
    )


def _label_heights(middles: Mapping[str, float]) -> dict[str, float]:
    """Where each label stands: above its line, or below it where it would touch the label of the line above.

    >>> _label_heights({"Q2_K": 152.0, "Q4_K_M": 147.0, "BF16": 60.0})
    {'BF16': 54.0, 'Q4_K_M': 141.0, 'Q2_K': 166.0}
    """
    heights: dict[str, float] = {}
    lowest = -float(HEIGHT)
    for name, middle in sorted(middles.items(), key=lambda item: item[1]):
        above = middle - LABEL_RISE
        lowest = above if above - lowest >= CARD_LABEL_ROOM else middle + LABEL_DROP
        heights[name] = lowest
    return heights


def _card_lines(card: Card, count: int, most: int, y_of: Callable[[float], float]) -> Iterator[CardLine]:
    """The reader's own set, then larger ones as far as the axis reaches and their labels do not touch."""
    lowest = HEIGHT * 2.0
    larger = () if card.beside else (usual for usual in COUNTS if count < usual <= card.max_cards)
    for number in (count, *larger):
        usable = card.usable_of(number) / GIB
        if usable <= most and lowest - y_of(usable) >= CARD_LABEL_ROOM:
            lowest = y_of(usable)
            yield CardLine(label=card_label(card, number), at=lowest)


def _round_step(most: float) -> int:
    """A step of 1, 2 or 5 times a power of ten that gives four to eight grid lines."""
    step = 10 ** max(0, int(log10(max(most, 1))) - 1)
    for factor in (1, 2, 5, 10, 20, 50):
        if most / (step * factor) <= 6:
            return step * factor
    return step * 100


def _spaced(marks: tuple[Mark, ...]) -> tuple[Mark, ...]:
    """Drop labels that would touch, from the right, so that the maximum always keeps its own.

    >>> [mark.value for mark in _spaced((Mark(at=406, value=524_288), Mark(at=446, value=1_010_000)))]
    [1010000]
    >>> [mark.value for mark in _spaced((Mark(at=406, value=524_288), Mark(at=446, value=1_048_576)))]
    [524288, 1048576]
    """
    kept: list[Mark] = []
    for mark in reversed(marks):
        if not kept or kept[-1].at - mark.at >= _room(mark, kept[-1]):
            kept.append(mark)
    return tuple(reversed(kept))


def _room(left: Mark, right: Mark) -> float:
    """From the middle of one label to that of the next: a maximum such as 1,010,000 is written out in full."""
    characters = len(context(left.value)) + len(context(right.value))
    return max(LABEL_ROOM, characters / 2 * LABEL_CHARACTER + LABEL_GAP)
