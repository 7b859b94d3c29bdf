"""What a reader may ask of a leaderboard, checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.bridge.chosen import question
from catalog.bridge.my_hardware import MyHardware
from catalog.leaderboards.board import Choice
from catalog.model_list.filters import ModelFilterForm
from catalog.models import LanguageModel, Release, Standing
from catalog.ranking.scope import OVERALL
from catalog.standings import BOARDS

UNRANKED = "unranked"


class BoardForm(ModelFilterForm):
    """A board and its filters; with an error, nothing filters."""

    board = forms.ChoiceField(label=gettext_lazy("Board"), required=False, widget=forms.HiddenInput)
    show = forms.ChoiceField(label=gettext_lazy("Models"), required=False)

    def __init__(self, query: Mapping[str, Any], mine: MyHardware) -> None:
        super().__init__(query, mine)
        self.choose("board", BOARDS.items())
        self.choose("show", [("", _("With a rank")), (UNRANKED, _("Without a rank"))])

    def shown_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ("memory", "context", "min_parameters", "max_parameters", "licence", "show")]

    def ticks(self) -> list[forms.BoundField]:
        return [self["fits"]]

    @property
    def chosen_board(self) -> str:
        """The board that is shown, also beside errors of other fields."""
        self.is_valid()
        return self.cleaned_data.get("board") or OVERALL.key

    @property
    def unranked(self) -> bool:
        return self.is_valid() and self.cleaned_data["show"] == UNRANKED

    def choice(self, release: Release) -> Choice | None:
        """What of the board answers the form; None where nothing can."""
        if not self.is_valid() or not self.num_active:
            return release.pk, self.unranked, None
        models = self.narrowed(LanguageModel.objects.published()).newest_first()
        asked = question(models.values_list("pk", flat=True))
        return (release.pk, self.unranked, asked) if asked else None


class BenchmarkForm(ModelFilterForm):
    """What the table of a benchmark can be narrowed by; with an error, nothing filters."""

    variant = forms.CharField(required=False, widget=forms.HiddenInput)

    def shown_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ("memory", "context", "licence")]

    def ticks(self) -> list[forms.BoundField]:
        return [self["fits"]]

    @property
    def narrows(self) -> bool:
        return self.is_valid() and any(self.cleaned_data[name] for name in self.cleaned_data if name != "variant")

    def narrowed_standings(self, rows: QuerySet[Standing]) -> QuerySet[Standing]:
        """Those of models that answer this form, which is valid."""
        models = self.narrowed(LanguageModel.objects.published().order_by())
        return rows.filter(Exists(models.filter(pk=OuterRef("score__model_id"))))
