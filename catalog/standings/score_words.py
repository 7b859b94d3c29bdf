"""A score as pages write it: its points, and its settings in the reader's language."""

from __future__ import annotations

from django.utils.translation import get_language

from catalog.models import Benchmark
from catalog.score_settings import Language, render


def points(value: float | None, benchmark: Benchmark | None = None) -> str:
    """A score with the digits that its source prints, one at least; a rating as a whole number.

    >>> points(69.8), points(37.29), points(60.0)
    ('69.8', '37.29', '60.0')
    """
    if value is None:
        return ""
    if benchmark is not None and benchmark.scale_max is None:
        return f"{value:,.0f}"
    text = f"{value:,.2f}"
    return text.removesuffix("0")


def plain_words(text: str) -> str:
    """A score's settings, basis or variant without markup, for places inside a translated sentence."""
    return "".join(piece.text for piece in render(text, reading_language()))


def reading_language() -> Language:
    return "zh-hans" if get_language() == "zh-hans" else "en"
