"""One score: a whole record by itself, or a line of the table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from reversion.models import Version

from catalog.admin.base import RecordForm
from catalog.admin.fields import name_for_readers
from catalog.models import Benchmark, LanguageModel, Score
from catalog.source.records import Record, ScoreRecord


class ScoreForm(RecordForm):
    """A score outside its benchmark's scale is refused; one that is there already is, by the row's own constraint."""

    record = ScoreRecord

    class Meta:
        widgets = {
            "settings": forms.Textarea(attrs={"rows": 2, "cols": 60}),
            "basis": forms.Textarea(attrs={"rows": 2, "cols": 60}),
        }

    def given(self) -> dict[str, Any]:
        # In a page of a new model the score is checked before that model is saved.
        return {"model": self.instance.model.slug or "new"}

    def check_record(self) -> Record | None:
        record = super().check_record()
        benchmark, value = self.instance.benchmark, self.instance.value
        if value < 0 or (benchmark.scale_max is not None and value > benchmark.scale_max):
            most = _("%(value)s is outside the scale of %(benchmark)s, 0 to %(most)s.")
            least = _("%(value)s is outside the scale of %(benchmark)s, which starts at 0.")
            text = least if benchmark.scale_max is None else most
            self.add_error("value", text % {"value": value, "benchmark": benchmark, "most": benchmark.scale_max})
        return record


class LineForm(ScoreForm):
    """Its model or benchmark is no field of the line, so that Django would not look whether the score is there."""

    class Meta:
        widgets = {
            "variant": forms.TextInput,
            "settings": forms.Textarea(attrs={"rows": 2, "cols": 24}),
            "date": forms.TextInput(attrs={"size": 10}),
            "source": forms.URLInput,
        }

    def check_record(self) -> Record | None:
        record = super().check_record()
        if not self.errors and self.has_changed():
            try:
                self.instance.validate_constraints()
            except ValidationError as error:
                self.add_error(None, error.messages)
        return record


class ScoreRowForm(LineForm):
    """A score that is there, or was when the page was opened."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        name_for_readers(self, f"{self.instance.model}, {self.instance.benchmark}" if self.instance.pk else "")

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.instance._state.adding:
            self.add_error(None, _deleted(self.instance))
        return cleaned


class NewScoreForm(LineForm):
    """`scope` is what the page is narrowed to, and no field of the line."""

    def __init__(self, *args: Any, scope: Mapping[str, LanguageModel | Benchmark], **options: Any) -> None:
        super().__init__(*args, instance=Score(**scope), **options)
        for name in scope:
            del self.fields[name]
        for field in self.fields.values():
            if isinstance(field.widget, RelatedFieldWidgetWrapper):  # its links have no room in a table
                field.widget = field.widget.widget
        name_for_readers(self, _("new score"))


def gone(pk: int) -> Score:
    """A score that somebody deleted meanwhile, as far as history knows it."""
    kept = Version.objects.get_for_object_reference(Score, pk).first()
    values = kept.field_dict if kept else {}
    names = {column.attname for column in Score._meta.concrete_fields} & values.keys()
    row = Score(**{name: values[name] for name in names} | {"pk": pk})
    for name, related in (("model", LanguageModel), ("benchmark", Benchmark)):
        key: Any = values.get(f"{name}_id")
        setattr(row, name, related._base_manager.filter(pk=key).first() or related(name="—"))
    return row


def _deleted(row: Score) -> str:
    told = _("This score was deleted meanwhile. What you typed is still here.")
    kept = Version.objects.get_deleted(Score).filter(object_id=str(row.pk)).first()
    if kept is None:
        return told
    address = reverse("admin:catalog_score_recover", args=[kept.pk])
    ask = _("Bring it back, then save again")
    return format_html('{} <a href="{}" target="_blank" rel="opener">{}</a>', told, address, ask)
