"""Cards and fits as pages write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django import template

from calculator.fit_words import FitView
from catalog.accelerators.runs import Run
from catalog.models import LanguageModel
from catalog.models.vocabulary import Confirmed

register = template.Library()


@register.filter
def card_fact(name: str) -> str:
    """What other sources confirmed of a card, in words; a key that no file may hold stays as it is."""
    return str(dict(Confirmed.choices).get(name, name))


@register.filter
def run_query(run: Run, asked: Mapping[str, Any]) -> str:
    """The state of the model page that shows this run."""
    state = {"engine": asked["engine"], "context": run.context_tokens or asked["context"]}
    if run.weight_format:
        state["weights"] = run.weight_format
    return urlencode(state)


@register.inclusion_tag("catalog/_fit.html")
def fit_badge(fits: Mapping[int, FitView] | None, model: LanguageModel) -> dict[str, FitView | None]:
    """How a model fits the reader's own cards; nothing where there are none or it is not known."""
    return {"fit": fits.get(model.pk) if fits else None}
