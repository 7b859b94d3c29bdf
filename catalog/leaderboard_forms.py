"""What a reader may ask of a leaderboard, checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.filters import FilterForm
from catalog.forms import BILLION, GIB
from catalog.models import LanguageModel, Place, Release
from catalog.models.vocabulary import CommercialUse
from catalog.querysets import LanguageModelQuerySet
from catalog.ranking.scope import OVERALL
from catalog.standings import BOARDS

UNRANKED = "unranked"


class BoardForm(FilterForm):
    """A board and its filters; with an error, nothing filters."""

    board = forms.ChoiceField(label=gettext_lazy("Board"), required=False, widget=forms.HiddenInput)
    show = forms.ChoiceField(label=gettext_lazy("Models"), required=False)
    min_parameters = forms.FloatField(
        label=gettext_lazy("Parameters from (B)"), required=False, min_value=0, max_value=1e6
    )
    max_parameters = forms.FloatField(label=gettext_lazy("to (B)"), required=False, min_value=0, max_value=1e6)
    licence = forms.ChoiceField(label=gettext_lazy("Commercial use"), required=False)
    memory = forms.FloatField(label=gettext_lazy("Fits in (GB)"), required=False, min_value=0, max_value=1e6)

    def __init__(self, query: Mapping[str, Any]) -> None:
        super().__init__(query)
        self.offer("board", BOARDS.items())
        self.offer("show", [("", _("With a rank")), (UNRANKED, _("Without a rank"))])
        self.offer("licence", [("", _("Any")), *CommercialUse.choices])

    def shown_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ("memory", "min_parameters", "max_parameters", "licence", "show")]

    def clean(self) -> dict[str, Any]:
        self.check_range("min_parameters", "max_parameters")
        return self.cleaned_data

    @property
    def chosen_board(self) -> str:
        """The board that is shown, also beside errors of other fields."""
        self.is_valid()
        return self.cleaned_data.get("board") or OVERALL.key

    @property
    def unranked(self) -> bool:
        return self.is_valid() and self.cleaned_data["show"] == UNRANKED

    def places(self, release: Release) -> QuerySet[Place]:
        """Places of the release that answer the form, by rank; those without one, the nearest to it first."""
        places = Place.objects.filter(release=release, model__in=self._models(), rank__isnull=self.unranked)
        return places.order_by("rank", "-num_benchmarks", "model__slug")

    def _models(self) -> LanguageModelQuerySet:
        answers = self.cleaned_data if self.is_valid() else {}
        found = LanguageModel.objects.published().with_parameters(
            *(
                None if answers.get(name) is None else int(answers[name] * BILLION)
                for name in ("min_parameters", "max_parameters")
            )
        )
        if licence := answers.get("licence"):
            found = found.filter(licence__commercial_use=licence)
        if (memory := answers.get("memory")) is not None:
            found = found.fitting(int(memory * GIB))
        return found.order_by()
