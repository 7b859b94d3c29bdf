from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from catalog.admin.base import HTTPS, CatalogAdmin, MissingTranslation, RecordForm
from catalog.admin.fields import LinesField, name_for_readers
from catalog.admin.scores_as_csv.views import ScoresAsCsv
from catalog.admin.tables.views import AsTables
from catalog.models import Benchmark, LanguageModel, Score
from catalog.source.records import BenchmarkRecord, Record, ScoreRecord
from catalog.sync.edits import edited_fields


class BenchmarkForm(RecordForm):
    record = BenchmarkRecord
    curt_variants = LinesField(label=gettext_lazy("variants without room to think"), required=False)


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


class ScoreRowForm(ScoreForm):
    """One line of the table."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        name_for_readers(self, f"{self.instance.model}, {self.instance.benchmark}" if self.instance.pk else "")


@admin.register(Benchmark)
class BenchmarkAdmin(AsTables, CatalogAdmin):
    form = BenchmarkForm
    record = BenchmarkRecord
    list_display = ("slug", "name_en", "category", "scale_max", "primary_variant")
    list_filter = (MissingTranslation, "category")
    search_fields = ("slug", "name_en", "name_zh_hans", "description_en", "description_zh_hans")
    fields = (
        "slug",
        "name",
        "category",
        "metric",
        ("scale_max", "higher_is_better", "questions", "composite"),
        ("suite", "curt_variants"),
        "primary_variant",
        "url",
        "description",
        "limits",
        "score_list",
        "local_edits",
    )
    readonly_fields = (*CatalogAdmin.readonly_fields, "score_list")

    @admin.display(description=gettext_lazy("scores"))
    def score_list(self, row: Benchmark) -> str:
        return links_to_scores("benchmark", row)


@admin.register(Score)
class ScoreAdmin(ScoresAsCsv):
    """The scores of a model, or of a benchmark, as a table that is edited in place; whole records one by one."""

    form = ScoreForm
    list_display = ("model", "benchmark", "value", "variant", "mode", "date", "source_kind", "source_host")
    list_editable = ("value", "variant", "mode", "date")
    list_filter = ("source_kind", "mode", "benchmark__category")
    list_select_related = ("model", "benchmark")
    search_fields = ("model__slug", "model__name", "benchmark__slug", "benchmark__name_en", "benchmark__name_zh_hans")
    autocomplete_fields = ("model", "benchmark")
    list_per_page = 50
    readonly_fields = ("local_edits",)
    formfield_overrides = HTTPS
    save_on_top = True

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> type[forms.ModelForm]:
        return super().get_changelist_form(request, **{"form": ScoreRowForm, **kwargs})

    @admin.display(description=gettext_lazy("source"))
    def source_host(self, row: Score) -> str:
        return urlsplit(row.source).hostname or ""

    @admin.display(description=gettext_lazy("edited here"))
    def local_edits(self, row: Score) -> str:
        return ", ".join(edited_fields(row)) if row.pk else ""


def links_to_scores(column: str, row: LanguageModel | Benchmark) -> str:
    """To the scores of a model or a benchmark, and to a form for another one."""
    if row.pk is None:
        return _("Save first, then add scores.")
    count = row.scores.count()
    listed = f"{reverse('admin:catalog_score_changelist')}?{column}__id__exact={row.pk}"
    added = f"{reverse('admin:catalog_score_add')}?{column}={row.pk}"
    seen = ngettext("See and edit %(count)s score", "See and edit %(count)s scores", count) % {"count": count}
    return format_html('<a href="{}">{}</a> · <a href="{}">{}</a>', listed, seen, added, _("Add a score"))
