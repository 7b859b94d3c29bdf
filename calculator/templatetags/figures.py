"""The figures of `calculator.figures` as template filters of the same names."""

from __future__ import annotations

from django import template

from calculator import figures

register = template.Library()

for _figure in (
    figures.grouped,
    figures.gib,
    figures.gb,
    figures.billions,
    figures.context,
    figures.percent,
    figures.unsigned_percent,
    figures.rate,
    figures.seconds,
    figures.plain,
    figures.signed_gib,
    figures.short_bytes,
    figures.short_number,
):
    register.filter(_figure.__name__, _figure)
