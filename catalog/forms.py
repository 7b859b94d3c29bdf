"""What a reader may ask of the models list, checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.filters import FilterForm, order
from catalog.models import LanguageModel, Organization
from catalog.models.vocabulary import Architecture, CommercialUse, Modality
from catalog.querysets import LanguageModelQuerySet

GIB = 2**30
BILLION = 10**9

# Name in the URL -> column. A minus in front turns the order round.
SORTS: Mapping[str, str] = {
    "released": "release_date",
    "name": "name",
    "parameters": "total_parameters",
    "active": "active_parameters",
    "context": "context_tokens",
    "memory": "memory_q4_k_m_8k_bytes",
}
DEFAULT_SORT = "-released"


class ModelListForm(FilterForm):
    """Search, filters and order of the models list."""

    q = forms.CharField(label=gettext_lazy("Search"), required=False, max_length=100)
    organization = forms.ChoiceField(label=gettext_lazy("Organisation"), required=False)
    architecture = forms.ChoiceField(label=gettext_lazy("Architecture"), required=False)
    modality = forms.ChoiceField(label=gettext_lazy("Reads"), required=False)
    licence = forms.ChoiceField(label=gettext_lazy("Commercial use"), required=False)
    min_parameters = forms.FloatField(
        label=gettext_lazy("Parameters from (B)"), required=False, min_value=0, max_value=1e6
    )
    max_parameters = forms.FloatField(label=gettext_lazy("to (B)"), required=False, min_value=0, max_value=1e6)
    context = forms.IntegerField(label=gettext_lazy("Context from"), required=False, min_value=1, max_value=2**40)
    memory = forms.FloatField(label=gettext_lazy("Fits in (GB)"), required=False, min_value=0, max_value=1e6)
    sort = forms.ChoiceField(label=gettext_lazy("Order"), required=False)

    def __init__(self, query: Mapping[str, Any]) -> None:
        super().__init__(query)
        anything = [("", _("Any"))]
        organizations = Organization.objects.filter(models__is_published=True).distinct()
        self.offer(
            "organization",
            anything + sorted(((row.slug, row.name) for row in organizations), key=lambda choice: choice[1].casefold()),
        )
        self.offer("architecture", anything + Architecture.choices)
        self.offer("modality", anything + [choice for choice in Modality.choices if choice[0] != Modality.TEXT])
        self.offer("licence", anything + CommercialUse.choices)
        self.offer(
            "sort",
            [
                ("-released", _("Newest first")),
                ("released", _("Oldest first")),
                ("name", _("Name, A to Z")),
                ("-name", _("Name, Z to A")),
                ("-parameters", _("Most parameters")),
                ("parameters", _("Fewest parameters")),
                ("-active", _("Most active parameters")),
                ("active", _("Fewest active parameters")),
                ("-context", _("Longest context")),
                ("context", _("Shortest context")),
                ("memory", _("Least memory")),
                ("-memory", _("Most memory")),
            ],
        )

    def selects(self) -> list[forms.BoundField]:
        return [self[name] for name in ("organization", "architecture", "modality", "licence", "sort")]

    def numbers(self) -> list[forms.BoundField]:
        return [self[name] for name in ("min_parameters", "max_parameters", "context", "memory")]

    def clean(self) -> dict[str, Any]:
        self.check_range("min_parameters", "max_parameters")
        return self.cleaned_data

    def rows(self) -> LanguageModelQuerySet:
        """Published models that answer the form, in its order; none while the form has errors."""
        if not self.is_valid():
            return LanguageModel.objects.none()
        answers = self.cleaned_data
        found = LanguageModel.objects.published()
        if text := answers.get("q"):
            found = found.search(text)
        if slug := answers.get("organization"):
            found = found.filter(organization__slug=slug)
        if architecture := answers.get("architecture"):
            found = found.of_architecture(architecture)
        if modality := answers.get("modality"):
            found = found.accepting(modality)
        if licence := answers.get("licence"):
            found = found.filter(licence__commercial_use=licence)
        found = found.with_parameters(
            *(
                None if value is None else int(value * BILLION)
                for value in (answers.get("min_parameters"), answers.get("max_parameters"))
            )
        )
        if context := answers.get("context"):
            found = found.with_context(context)
        if (memory := answers.get("memory")) is not None:
            found = found.fitting(int(memory * GIB))
        return found.order_by(*order(answers.get("sort") or DEFAULT_SORT, SORTS))
