"""Memory as the context grows: the table and the chart beside each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from django.utils.translation import get_language

from calculator import charts
from calculator.architecture import Shape
from calculator.charts import Chart
from calculator.context_stops import table_stops
from calculator.fit_words import FitView, Need, bytes_at, fit_view, needed, needs_at
from calculator.hardware import Card, engine_named, totals
from calculator.memory import ENGINES, Workload, WorkloadError
from calculator.workload_form import WorkloadForm

# Rows of the table for an engine that offers dozens: the formats people publish, best first.
TABLE_FORMATS = ("BF16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M", "Q2_K")


class MemoryCell(NamedTuple):
    """`bytes` over all cards; `fit` says whether that fits the reader's own, where there are any."""

    context_tokens: int
    bytes: int
    here: bool
    fit: FitView | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryRow:
    weight_format: str
    cells: tuple[MemoryCell, ...]


@dataclass(frozen=True, kw_only=True)
class Growth:
    """`columns` are contexts in tokens, `rows` weight formats; the chart draws some of them over the same range."""

    columns: tuple[int, ...]
    rows: tuple[MemoryRow, ...]
    chart: Chart


def growth(shape: Shape, form: WorkloadForm) -> Growth:
    """The growth of a valid form's memory; the chart draws the best, the smallest and the chosen format."""
    longest = form.max_context_tokens or form.workload.context_tokens
    card, count = form.chosen_card, form.num_cards
    columns, rows = table(shape, form.workload, longest, card, count)
    formats = [row.weight_format for row in rows]
    kept = {formats[0], formats[-1], form.workload.weight_format}
    lines = [name for name in formats if name in kept]
    chart = charts.memory_by_context(shape, form.workload, lines, longest, card, count)
    return Growth(columns=columns, rows=rows, chart=chart)


def table(
    shape: Shape, workload: Workload, max_context_tokens: int, card: Card | None = None, count: int = 1
) -> tuple[tuple[int, ...], tuple[MemoryRow, ...]]:
    """Columns (context lengths, the reader's own among them) and rows (weight formats) of the required-memory table.

    With `card` every cell says whether it fits on `count` of it. A format that does not go with the rest of the
    workload has no row.
    """
    stops, own = table_stops(max_context_tokens), workload.context_tokens
    columns = tuple(sorted({*stops, own}))
    first, rounded = workload.but(context_tokens=stops[0]), engine_named(workload.engine).rounded(workload)
    formats, rows = table_formats(shape, workload), []
    others = [] if own in stops or card else [name for name in formats if name != workload.weight_format]
    told, kept = totals(shape, rounded, others), _at_stops(shape, first, formats, stops, card, count, get_language())
    for weight_format in formats:
        at_stops = kept[weight_format]
        here = weight_format == workload.weight_format
        cells = [at_stops.get(tokens) for tokens in columns]
        if weight_format in told:
            cells[columns.index(own)] = MemoryCell(context_tokens=own, bytes=told[weight_format], here=False)
        elif here or own not in at_stops:
            cells[columns.index(own)] = _cell(shape, rounded.in_format(weight_format), card, count, own, here)
        if None not in cells:  # a format may exclude what else is asked, such as a split that cuts its groups
            rows.append(MemoryRow(weight_format=weight_format, cells=tuple(filter(None, cells))))
    return columns, tuple(rows)


@lru_cache(maxsize=128)
def _at_stops(
    shape: Shape,
    first: Workload,
    formats: tuple[str, ...],
    stops: tuple[int, ...],
    card: Card | None,
    count: int,
    _language: str | None,
) -> Mapping[str, Mapping[int, MemoryCell | None]]:
    """The cells of each row at the stops, which are the same wherever the reader's own context is."""
    found: dict[str, Mapping[int, MemoryCell | None]] = {}
    if card is None:
        for name, sizes in bytes_at(shape, first, stops, None, count, formats).items():
            found[name] = {
                tokens: None if size is None else MemoryCell(context_tokens=tokens, bytes=size, here=False)
                for tokens, size in zip(stops, sizes, strict=True)
            }
        return found
    for name in formats:
        needs = zip(stops, needs_at(shape, first.in_format(name), stops, card, count), strict=True)
        found[name] = {tokens: need and _of_need(tokens, need, here=False) for tokens, need in needs}
    return found


def _cell(shape: Shape, rounded: Workload, card: Card | None, count: int, tokens: int, here: bool) -> MemoryCell | None:
    """Of the reader's own context of so many `tokens`, `here` in the chosen format."""
    try:
        need = needed(shape, rounded, card, count)
    except WorkloadError:
        return None
    return _of_need(tokens, need, here=here)


def _of_need(tokens: int, need: Need, *, here: bool) -> MemoryCell:
    return MemoryCell(context_tokens=tokens, bytes=need.bytes, here=here, fit=fit_view(need.fit) if need.fit else None)


def table_formats(shape: Shape, workload: Workload) -> tuple[str, ...]:
    """The formats worth a row: the usual ones that the engine offers, and always the chosen one."""
    offered = ENGINES[workload.engine].weight_formats(shape)
    usual = [name for name in offered if name in TABLE_FORMATS] if len(offered) > len(TABLE_FORMATS) else offered
    return tuple(name for name in offered if name in usual or name == workload.weight_format)
