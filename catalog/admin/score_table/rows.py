"""The lines of the table: those that are there, and new ones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.forms import BaseFormSet, BaseModelFormSet

from catalog.admin.score_table.forms import gone
from catalog.admin.scores_as_tables.plan import KEY
from catalog.models import Score

NEW = "new"  # prefix of the names of new lines
BLANK = 3  # of them at a time


class ScoreTable(BaseModelFormSet):
    """What another editor deleted meanwhile stays in its place, with what was typed into it."""

    @property
    def errors(self) -> list[Any]:
        """Empty where nothing is wrong, as Django's page asks no more of it."""
        found = super().errors
        return found if any(found) else []

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        if self.is_bound and form.instance._state.adding:  # no choice of rows that are there
            form.fields["id"] = forms.CharField(widget=forms.HiddenInput, required=False, initial=form.instance.pk)

    def _existing_object(self, pk: Any) -> Any:
        return super()._existing_object(pk) or gone(pk)  # type: ignore[misc]


class NewScores(BaseFormSet):
    @property
    def filled(self) -> list[Any]:
        return [form for form in self.forms if form.has_changed()]


def refuse_twins(lines: Iterable[Any]) -> None:
    """Two lines of one page that would say the same thing; the database knows only what is saved."""
    seen = set()
    for line in lines:
        row = line.instance
        key = (row.model_id, row.benchmark_id, *(getattr(row, name) for name in KEY))
        if line.is_valid() and key in seen:
            line.add_error(None, str(Score._meta.constraints[0].violation_error_message))
        seen.add(key)
