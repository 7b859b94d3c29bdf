"""Memory as the context grows: the table and the chart beside each other."""

from __future__ import annotations

from typing import Any

from calculator import charts, panel
from calculator.architecture import Shape
from calculator.forms import WorkloadForm


def growth(shape: Shape, form: WorkloadForm) -> dict[str, Any]:
    """`columns`, `rows` and `chart` of a valid form; the chart draws the best, the smallest and the chosen format."""
    longest = form.max_context_tokens or form.workload.context_tokens
    card, count = form.chosen_card, form.num_cards
    columns, rows = panel.table(shape, form.workload, longest, card, count)
    formats = [row.weight_format for row in rows]
    kept = {formats[0], formats[-1], form.workload.weight_format}
    lines = [name for name in formats if name in kept]
    chart = charts.memory_by_context(shape, form.workload, lines, longest, card, count)
    return {"columns": columns, "rows": rows, "chart": chart}
