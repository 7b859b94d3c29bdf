"""What the plain GET forms above lists have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import F
from django.db.models.expressions import OrderBy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calculator.fields import FlagField
from calculator.hardware.cards import GIB
from calculator.public_form import PublicForm
from catalog.bridge.chosen import Narrowing
from catalog.bridge.listed_fits import ListedFit
from catalog.bridge.my_hardware import MyHardware
from catalog.models import LanguageModel
from catalog.models.vocabulary import CommercialUse

NO_FILTERS = ("q", "sort", "board")
BILLION = 10**9
MOST = 10**6  # billions of parameters, GB: more than any model has or needs


class FilterForm(PublicForm):
    """Empty answers do not filter; wrong ones are errors. Ids are the names, as every address has one such form."""

    def __init__(self, query: Mapping[str, Any]) -> None:
        super().__init__(data={name: value for name, value in query.items() if value != ""}, auto_id="%s")

    @property
    def num_active(self) -> int:
        """How many filters are set, which a folded form says: not what is searched, nor the order."""
        return sum(name in self.fields and name not in NO_FILTERS for name in self.data)

    def check_range(self, lower: str, upper: str) -> None:
        least, most = self.cleaned_data.get(lower), self.cleaned_data.get(upper)
        if least is not None and most is not None and least > most:
            self.add_error(upper, _("The upper end lies below the lower one."))


class ModelFilterForm(FilterForm):
    """What every list of models can be narrowed by."""

    min_parameters = forms.FloatField(
        label=gettext_lazy("Parameters from (B)"), required=False, min_value=0, max_value=MOST
    )
    max_parameters = forms.FloatField(
        label=gettext_lazy("Parameters up to (B)"), required=False, min_value=0, max_value=MOST
    )
    licence = forms.ChoiceField(label=gettext_lazy("Commercial use"), required=False)
    memory = forms.FloatField(label=gettext_lazy("VRAM up to (GB)"), required=False, min_value=0, max_value=MOST)
    context = forms.IntegerField(label=gettext_lazy("Minimum context"), required=False, min_value=1, max_value=2**40)
    fits = FlagField(label=gettext_lazy("Only what fits"), required=False)

    def __init__(self, query: Mapping[str, Any], mine: MyHardware) -> None:
        """`mine` are the reader's cards, for `fits`."""
        super().__init__(query)
        self.mine = mine
        self.choose("licence", [("", _("Any")), *CommercialUse.choices])

    def clean(self) -> dict[str, Any]:
        self.check_range("min_parameters", "max_parameters")
        return self.cleaned_data

    def clean_fits(self) -> bool:
        fits: bool = self.cleaned_data["fits"]
        if fits and self.mine.card is None and self.mine.valid:
            raise forms.ValidationError(_("Choose your hardware, too."))
        return fits

    @property
    def context_tokens(self) -> int | None:
        """The context at which models are to fit; None: the usual one."""
        return self.cleaned_data.get("context") if self.is_valid() else None

    @property
    def narrowing(self) -> Narrowing:
        """What these filters of a valid form ask of models. A card's GB are GiB, so they are read as such."""
        answers = self.cleaned_data
        least, most = answers["min_parameters"], answers["max_parameters"]
        return Narrowing(
            least_parameters=None if least is None else int(least * BILLION),
            most_parameters=None if most is None else int(most * BILLION),
            licence=answers["licence"],
            memory_bytes=None if answers["memory"] is None else int(answers["memory"] * GIB),
            context_tokens=answers["context"],
            card_bytes=self.mine.card.usable_of(self.mine.count) if answers["fits"] and self.mine.card else None,
        )

    def kept(self, model: LanguageModel, fits: Mapping[int, ListedFit]) -> bool:
        """Whether a row that is shown stays, once its fit has been judged."""
        if not self.is_valid() or not self.cleaned_data["fits"]:
            return True
        return model.pk in fits and fits[model.pk].runs


def order(sort: str, columns: Mapping[str, str]) -> list[OrderBy | str]:
    """`name` or `-name` of a column, what is not known last, and equal rows by slug."""
    column = F(columns[sort.removeprefix("-")])
    return [column.desc(nulls_last=True) if sort.startswith("-") else column.asc(nulls_last=True), "slug"]
