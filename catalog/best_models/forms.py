"""What the best models are asked for: a board, a context length, an engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from calculator import labels
from calculator.context_stops import context_stops
from calculator.figures import context as in_k
from calculator.memory import DEFAULT_ENGINE, ENGINES
from calculator.memory.engines import MAX_CONTEXT_TOKENS
from catalog.model_list.filters import FilterForm
from catalog.ranking.scope import OVERALL
from catalog.standings import BOARDS

LEAST_OFFERED, MOST_OFFERED = 8192, 2**20
CONTEXT_TOKENS = 32768
"""A document or a few files of code with the answer: less is asked for a chat, more by agents."""

START = 10**6


class BestModelsForm(FilterForm):
    """What is left open takes its default; `start` is how many candidates were looked at before."""

    board = forms.ChoiceField(label=gettext_lazy("Best for"), required=False)
    context = forms.IntegerField(
        label=gettext_lazy("Context length"),
        required=False,
        min_value=1,
        max_value=MAX_CONTEXT_TOKENS,
        widget=forms.Select,
    )
    engine = forms.ChoiceField(label=gettext_lazy("Engine"), required=False)
    start = forms.IntegerField(required=False, min_value=0, max_value=START, widget=forms.HiddenInput)

    def __init__(self, query: Mapping[str, Any], boards: Iterable[str], engine: str = DEFAULT_ENGINE) -> None:
        """`boards` are the keys of those that have ranks, `engine` is asked about where none is named."""
        given = {name: value for name, value in query.items() if value != ""}
        super().__init__({"board": OVERALL.key, "context": str(CONTEXT_TOKENS), "engine": engine, **given})
        ranked = {OVERALL.key, *boards}  # before anything is ranked there is a board to name all the same
        self.choose("board", [(key, label) for key, label in BOARDS.items() if key in ranked])
        self.choose("engine", [(name, labels.engine_name(name)) for name in ENGINES])
        self.choose("context", context_choices(str(self.data["context"])))

    def shown_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ("board", "context", "engine")]


def context_choices(asked: str) -> list[tuple[str, str]]:
    """Round lengths from 8K, and what was asked for besides, so that the list claims nothing else."""
    offered = [stop for stop in context_stops(MOST_OFFERED) if stop >= LEAST_OFFERED]
    choices = [(str(stop), in_k(stop)) for stop in offered]
    if asked not in dict(choices):
        choices.insert(0, (asked, asked))
    return choices
