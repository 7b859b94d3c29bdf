"""Memory as the context grows: the table and the chart beside each other."""

from __future__ import annotations

from dataclasses import dataclass

from calculator import charts, panel
from calculator.architecture import Shape
from calculator.charts import Chart
from calculator.forms import WorkloadForm
from calculator.panel import Row


@dataclass(frozen=True, kw_only=True)
class Growth:
    """`columns` are contexts in tokens, `rows` weight formats; the chart draws some of them over the same range."""

    columns: tuple[int, ...]
    rows: tuple[Row, ...]
    chart: Chart


def growth(shape: Shape, form: WorkloadForm) -> Growth:
    """The growth of a valid form's memory; the chart draws the best, the smallest and the chosen format."""
    longest = form.max_context_tokens or form.workload.context_tokens
    card, count = form.chosen_card, form.num_cards
    columns, rows = panel.table(shape, form.workload, longest, card, count)
    formats = [row.weight_format for row in rows]
    kept = {formats[0], formats[-1], form.workload.weight_format}
    lines = [name for name in formats if name in kept]
    chart = charts.memory_by_context(shape, form.workload, lines, longest, card, count)
    return Growth(columns=columns, rows=rows, chart=chart)
