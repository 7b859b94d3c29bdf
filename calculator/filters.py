"""What templates call upon from here: figures as filters of their names, and how sentences follow each other."""

from __future__ import annotations

from django.utils.translation import get_language

from calculator import figures

FILTERS = {
    figure.__name__: figure
    for figure in (
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
    )
}


def space() -> str:
    """What stands between two sentences: nothing in Chinese, whose full stop and colon fill a square by themselves."""
    return "" if (get_language() or "").startswith("zh") else " "
