"""What a reader may ask of a leaderboard, checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.forms import BILLION, GIB
from catalog.models import LanguageModel, Place, Release
from catalog.models.vocabulary import CommercialUse
from catalog.querysets import LanguageModelQuerySet
from catalog.ranking.scope import OVERALL
from catalog.standings import BOARDS

UNRANKED = "unranked"


class BoardForm(forms.Form):
    """A board and its filters. Empty answers do not filter; wrong ones are errors, and then nothing filters."""

    board = forms.ChoiceField(label=gettext_lazy("Board"), required=False, widget=forms.HiddenInput)
    show = forms.ChoiceField(label=gettext_lazy("Models"), required=False)
    min_parameters = forms.FloatField(
        label=gettext_lazy("Parameters from (B)"), required=False, min_value=0, max_value=1e6
    )
    max_parameters = forms.FloatField(label=gettext_lazy("to (B)"), required=False, min_value=0, max_value=1e6)
    licence = forms.ChoiceField(label=gettext_lazy("Commercial use"), required=False)
    memory = forms.FloatField(label=gettext_lazy("Fits in (GB)"), required=False, min_value=0, max_value=1e6)

    def __init__(self, query: Mapping[str, Any]) -> None:
        super().__init__(data={name: value for name, value in query.items() if value != ""}, auto_id="%s")
        self._choices("board", list(BOARDS.items()))
        self._choices("show", [("", _("With a rank")), (UNRANKED, _("Without a rank"))])
        self._choices("licence", [("", _("Any")), *CommercialUse.choices])

    def _choices(self, name: str, choices: list[tuple[str, Any]]) -> None:
        cast("forms.ChoiceField", self.fields[name]).choices = choices

    def shown_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ("memory", "min_parameters", "max_parameters", "licence", "show")]

    def clean(self) -> dict[str, Any]:
        least, most = self.cleaned_data.get("min_parameters"), self.cleaned_data.get("max_parameters")
        if least is not None and most is not None and least > most:
            self.add_error("max_parameters", _("The upper end lies below the lower one."))
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
