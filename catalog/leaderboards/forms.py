"""What a reader may ask of a leaderboard, checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.bridge.my_hardware import MyHardware
from catalog.model_list.filters import ModelFilterForm
from catalog.models import LanguageModel, Place, Release, Standing
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

    def places(self, release: Release) -> QuerySet[Place]:
        """Places of the release that answer the form, by rank; those without one, the nearest to it first."""
        if not self.is_valid() or not self.num_active:
            return ranked(release.pk, unranked=self.unranked)
        models = self.narrowed(LanguageModel.objects.published().order_by())
        # Asked of each place, since a board has few: a list of all models that answer would be made each time.
        answers = Exists(models.filter(pk=OuterRef("model_id")))
        return ranked(release.pk, unranked=self.unranked).filter(answers)


def ranked(release: int, *, unranked: bool = False) -> QuerySet[Place]:
    """Places of a release, by rank; or those without one, the nearest to it first."""
    places = Place.objects.filter(release=release, model__is_published=True, rank__isnull=unranked)
    return places.order_by("rank", "-num_benchmarks", "model__slug")


class BenchmarkForm(ModelFilterForm):
    """What the table of a benchmark can be narrowed by; with an error, nothing filters."""

    variant = forms.CharField(required=False, widget=forms.HiddenInput)

    def shown_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ("memory", "context", "licence")]

    def ticks(self) -> list[forms.BoundField]:
        return [self["fits"]]

    def standings(self, rows: QuerySet[Standing]) -> QuerySet[Standing]:
        if not self.is_valid() or not any(self.cleaned_data[name] for name in self.cleaned_data if name != "variant"):
            return rows
        models = self.narrowed(LanguageModel.objects.published().order_by())
        return rows.filter(Exists(models.filter(pk=OuterRef("score__model_id"))))
