"""What a reader may ask of the models list, checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog import search
from catalog.model_list.filters import ModelFilterForm, order
from catalog.models import LanguageModel, Organization
from catalog.models.querysets import LanguageModelQuerySet, with_published
from catalog.models.vocabulary import Architecture, Modality
from catalog.search import BestFirst

# Name in the URL -> column. A minus in front turns the order round.
SORTS: Mapping[str, str] = {
    "released": "release_date",
    "name": "name",
    "parameters": "total_parameters",
    "active": "active_parameters",
    "context": "context_tokens",
    "memory": "memory_8k_bytes",
}
DEFAULT_SORT = "-released"


class ModelListForm(ModelFilterForm):
    """Search, filters and order of the models list."""

    q = forms.CharField(label=gettext_lazy("Search"), required=False, max_length=100)
    organization = forms.ChoiceField(label=gettext_lazy("Organisation"), required=False)
    architecture = forms.ChoiceField(label=gettext_lazy("Architecture"), required=False)
    modality = forms.ChoiceField(label=gettext_lazy("Input"), required=False)
    context = forms.IntegerField(label=gettext_lazy("Minimum context"), required=False, min_value=1, max_value=2**40)
    sort = forms.ChoiceField(label=gettext_lazy("Order"), required=False)

    def __init__(self, query: Mapping[str, Any]) -> None:
        super().__init__(query)
        anything = [("", _("Any"))]
        organizations = with_published(Organization.objects.all())
        self.offer(
            "organization",
            anything + sorted(((row.slug, row.name) for row in organizations), key=lambda choice: choice[1].casefold()),
        )
        self.offer("architecture", anything + Architecture.choices)
        self.offer("modality", anything + [choice for choice in Modality.choices if choice[0] != Modality.TEXT])
        self.offer(
            "sort",
            [
                ("", _("Best match, then newest")),
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

    def rows(self) -> LanguageModelQuerySet | BestFirst[LanguageModel]:
        """Published models that answer the form, in its order, none while the form has errors."""
        if not self.is_valid():
            return LanguageModel.objects.none()
        answers = self.cleaned_data
        found = self.narrowed(LanguageModel.objects.published())
        if slug := answers.get("organization"):
            found = found.filter(organization__slug=slug)
        if architecture := answers.get("architecture"):
            found = found.of_architecture(architecture)
        if modality := answers.get("modality"):
            found = found.accepting(modality)
        if context := answers.get("context"):
            found = found.with_context(context)
        text, sort = answers["q"], answers["sort"]
        if text and not sort:
            return BestFirst(found.for_table(), "model", text, narrowed=self.num_active > 0)
        return search.found(found, "model", text).for_table().order_by(*order(sort or DEFAULT_SORT, SORTS))
