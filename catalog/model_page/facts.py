"""What a model's page says of the model whatever the workload: written once after each change, in each language."""

from __future__ import annotations

from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe
from django.utils.translation import get_language

from calculator.layer_pattern import layer_pattern
from catalog import versions
from catalog.bridge.shapes import shape_of
from catalog.model_page import origins, specs
from catalog.model_page.citations import Citations
from catalog.model_page.links import links
from catalog.model_page.relatives import relatives
from catalog.model_page.scoreboard import scoreboard
from catalog.models import DataChange, LanguageModel

PLACES = ("above", "strip", "below")  # before the memory panel, after it, and after the growth of memory
SIBLINGS = 24  # the newest; the family's own page has all


def facts(slug: str) -> dict[str, str]:
    """Markup of the facts at their places around the memory panel."""
    key = versions.key("facts", DataChange.version(), slug, get_language())
    written = versions.written_once(key, lambda: _write(slug))
    return {place: mark_safe(markup) for place, markup in written.items()}  # noqa: S308 - our own templates wrote it


def _write(slug: str) -> dict[str, str]:
    model = get_object_or_404(LanguageModel.objects.for_page(), slug=slug)  # who may see it was asked before
    shape, citations = shape_of(model), Citations(model)
    siblings = LanguageModel.objects.published().filter(family=model.family_id).exclude(pk=model.pk)
    context = {
        "model": model,
        "citations": citations,
        "links": links(model),
        "pattern": layer_pattern(shape) if shape else "",
        "config_origins": origins.config_origins(citations) if model.config else [],
        "repository_date": origins.of_repository(citations),
        "specs": specs.groups(model, shape, citations),
        "scoreboard": scoreboard(model),
        "relatives": relatives(model),
        "siblings": siblings.for_list().newest_first()[:SIBLINGS],
    }
    return {place: str(render_to_string(f"catalog/_model_{place}.html", context)) for place in PLACES}
