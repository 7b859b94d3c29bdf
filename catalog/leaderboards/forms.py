"""What a reader may ask of a leaderboard, checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.bridge.chosen import Narrowing
from catalog.bridge.my_hardware import MyHardware
from catalog.leaderboards.board import Choice
from catalog.model_list.filters import ModelFilterForm
from catalog.models import Release
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

    def choice(self, release: Release) -> Choice:
        """What of the board answers the form."""
        asked = self.narrowing if self.is_valid() else Narrowing()
        return release.pk, self.unranked, None if asked == Narrowing() else asked


class BenchmarkForm(ModelFilterForm):
    """What the table of a benchmark can be narrowed by; with an error, nothing filters."""

    variant = forms.CharField(required=False, widget=forms.HiddenInput)

    def shown_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ("memory", "context", "licence")]

    def ticks(self) -> list[forms.BoundField]:
        return [self["fits"]]

    @property
    def narrows(self) -> bool:
        return self.is_valid() and self.narrowing != Narrowing()
