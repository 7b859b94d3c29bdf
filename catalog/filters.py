"""What the plain GET forms above lists have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from django import forms
from django.db.models import F
from django.db.models.expressions import OrderBy
from django.utils.translation import gettext as _


class FilterForm(forms.Form):
    """Empty answers do not filter; wrong ones are errors. Ids are the names, as every address has one such form."""

    def __init__(self, query: Mapping[str, Any]) -> None:
        super().__init__(data={name: value for name, value in query.items() if value != ""}, auto_id="%s")

    def offer(self, name: str, choices: Iterable[tuple[Any, Any]]) -> None:
        """The choices of a field, in the reader's language: that of the request, so not the class's to say."""
        cast("forms.ChoiceField", self.fields[name]).choices = list(choices)

    def check_range(self, lower: str, upper: str) -> None:
        least, most = self.cleaned_data.get(lower), self.cleaned_data.get(upper)
        if least is not None and most is not None and least > most:
            self.add_error(upper, _("The upper end lies below the lower one."))


def order(sort: str, columns: Mapping[str, str]) -> list[OrderBy | str]:
    """`name` or `-name` of a column, what is not known last, and equal rows by slug."""
    column = F(columns[sort.removeprefix("-")])
    return [column.desc(nulls_last=True) if sort.startswith("-") else column.asc(nulls_last=True), "slug"]
