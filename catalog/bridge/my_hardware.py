"""The reader's own cards on the catalogue's pages: `?card=<slug>&cards=<n>`, and how each model of a list fits them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self
from urllib.parse import parse_qsl

from django.http import QueryDict
from django.utils.translation import get_language

from calculator.fit_words import FitView, card_label, fit_view
from calculator.hardware import Card, HardwareError, fit, numbers
from calculator.hardware_form import HardwareForm, flattened
from calculator.memory import WorkloadError, default_workload
from calculator.workload_form import WorkloadForm
from catalog.bridge import listed_fits
from catalog.bridge.cards import all_cards
from catalog.bridge.listed_fits import ListedFit, Told, listed, told
from catalog.bridge.rows import models_to_place
from catalog.bridge.shapes import max_context_tokens, shape_of
from catalog.models import DataChange, LanguageModel

LISTS, MOST_KEPT = 32, 1000  # how many cards, contexts and languages are kept, and of each how many models


@dataclass(frozen=True, slots=True)
class MyHardware:
    """`form` is what a page shows beside its list; `card` is None where none is chosen or the choice is wrong."""

    form: HardwareForm
    card: Card | None
    count: int

    @classmethod
    def from_query(cls, query: QueryDict) -> Self:
        form = HardwareForm(flattened(query), all_cards())
        if not form.is_valid():
            return cls(form, None, 1)
        return cls(form, form.chosen_card, form.num_cards)

    @property
    def valid(self) -> bool:
        return not self.form.errors

    @property
    def label(self) -> str:
        return card_label(self.card, self.count) if self.card else ""

    @property
    def query(self) -> str:
        """`card=...&cards=...` for a link; empty without a card."""
        return self.form.hardware_query()

    @property
    def answers(self) -> list[tuple[str, str]]:
        """The same for the hidden fields of a form."""
        return parse_qsl(self.query)

    def fits(self, models: Sequence[LanguageModel], context_tokens: int | None = None) -> Mapping[int, ListedFit]:
        """Primary key -> how the model fits by default, as on its own page; judged once after each change.

        At `context_tokens`, or at the model's own maximum where that is shorter.

        Models without a known config, and those the format does not suit, are left out.
        """
        if self.card is None:
            return {}
        kept = _judged(self.card, self.count, context_tokens, get_language(), DataChange.version())
        asked = [model.pk for model in models]
        known = kept.copy()  # from which another thread may take some away
        found = {key: known[key] for key in asked if key in known}
        if missing := [key for key in asked if key not in found]:
            judged = self._judge(missing, context_tokens)
            if len(kept) + len(judged) > MOST_KEPT:
                kept.clear()
            kept.update(judged)
            found |= judged
        return {key: fit for key in asked if (fit := found[key])}

    def _judge(self, keys: Sequence[int], context_tokens: int | None) -> dict[int, ListedFit | None]:
        if self.card is None:
            return {}
        version = DataChange.version()
        kept = {} if context_tokens else listed_fits.kept(self.card, self.count, version)
        found: dict[int, Told] = {}
        for row in models_to_place(key for key in keys if key not in kept):
            if answer := self.told_of(row, context_tokens):
                found[row.pk] = answer
        if not context_tokens:
            listed_fits.add(self.card, self.count, version, found)
        numbers = {**kept, **found}
        return {key: listed(numbers[key], self.card, self.count) if key in numbers else None for key in keys}

    def fits_asked(self, models: Iterable[LanguageModel], asked: Mapping[str, str]) -> Mapping[int, ListedFit]:
        """`fits` for a workload that is asked of every model; those that cannot answer it are left out."""
        if self.card is None:
            return {}
        found = {}
        for model in models:
            if (shape := shape_of(model)) is None:
                continue
            form = WorkloadForm(shape, asked, max_context_tokens=max_context_tokens(model, shape))
            if form.is_valid():
                found[model.pk] = listed(
                    told(numbers(shape, form.workload, self.card, self.count)), self.card, self.count
                )
        return found

    def fit_of(self, model: LanguageModel) -> FitView | None:
        """How one model fits at its defaults, those of the memory column; None where that cannot be said."""
        if self.card is None or (shape := shape_of(model)) is None:
            return None
        try:
            workload = default_workload(shape, max_context_tokens(model, shape))
            return fit_view(fit(shape, workload, self.card, self.count))
        except (HardwareError, WorkloadError):
            return None

    def told_of(self, model: LanguageModel, context_tokens: int | None = None) -> Told | None:
        """Of `fit_of`, at this context or the model's own maximum, the numbers alone."""
        if self.card is None or (shape := shape_of(model)) is None:
            return None
        try:
            longest = max_context_tokens(model, shape)
            workload = default_workload(shape, longest)
            if context_tokens:
                workload = workload.but(context_tokens=min(context_tokens, longest or context_tokens))
            return told(numbers(shape, workload, self.card, self.count))
        except (HardwareError, WorkloadError):
            return None


@lru_cache(maxsize=LISTS)
def _judged(
    card: Card, count: int, context_tokens: int | None, language: str | None, version: str
) -> dict[int, ListedFit | None]:
    """By primary key; None of a model of which nothing can be said."""
    return {}
