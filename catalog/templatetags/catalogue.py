"""Words and footnotes of catalogue pages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import template
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from catalog.model_page.citations import Citations
from catalog.models import LanguageModel
from catalog.models.vocabulary import modality_words

register = template.Library()
register.filter("modalities", modality_words)


@register.filter
def fact_names(facts: Iterable[str]) -> str:
    """The facts a source stands for, by the names of their fields."""
    return _(", ").join(str(getattr(LanguageModel._meta.get_field(fact), "verbose_name", fact)) for fact in facts)


@register.inclusion_tag("catalog/_footnotes.html")
def cite(citations: Citations, *facts: str) -> dict[str, Any]:
    """Footnotes for the first of these facts that has a source."""
    numbers = citations.of(*facts)
    return {"numbers": numbers, "unchecked": citations.unchecked(numbers)}


@register.inclusion_tag("catalog/_footnotes.html")
def footnotes(citations: Citations, numbers: list[int]) -> dict[str, Any]:
    return {"numbers": numbers, "unchecked": citations.unchecked(numbers)}


@register.filter
def written_in(row: Any, field: str) -> str:
    """The language a translated field really is in: the reader's, or the other one where that is missing."""
    language = get_language() or "en"
    if getattr(row, f"{field}_{language.replace('-', '_')}", None):
        return language
    return "en" if language != "en" else "zh-hans"
