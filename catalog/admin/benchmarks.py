from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from reversion.admin import VersionAdmin

from catalog.admin.base import HTTPS, CatalogAdmin, MissingTranslation, RecordForm
from catalog.models import Benchmark, Score
from catalog.source.records import BenchmarkRecord, Record, ScoreRecord
from catalog.sync.edits import edited_fields


class BenchmarkForm(RecordForm):
    record = BenchmarkRecord


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


@admin.register(Benchmark)
class BenchmarkAdmin(CatalogAdmin):
    form = BenchmarkForm
    list_display = ("slug", "name_en", "category", "scale_max", "primary_variant")
    list_filter = (MissingTranslation, "category")
    search_fields = ("slug", "name_en", "name_zh_hans", "description_en", "description_zh_hans")
    fields = (
        "slug",
        "name",
        "category",
        "metric",
        ("scale_max", "higher_is_better", "questions", "composite"),
        "primary_variant",
        "url",
        "description",
        "limits",
        "local_edits",
    )


@admin.register(Score)
class ScoreAdmin(VersionAdmin):
    form = ScoreForm
    list_display = ("model", "benchmark", "value", "variant", "mode", "source_kind", "date")
    list_filter = ("source_kind", "mode", "benchmark__category")
    list_select_related = ("model", "benchmark")
    search_fields = ("model__slug", "model__name", "benchmark__slug", "benchmark__name_en", "benchmark__name_zh_hans")
    autocomplete_fields = ("model", "benchmark")
    list_per_page = 50
    readonly_fields = ("local_edits",)
    formfield_overrides = HTTPS

    @admin.display(description=gettext_lazy("edited here"))
    def local_edits(self, row: Score) -> str:
        return ", ".join(edited_fields(row)) if row.pk else ""
