from __future__ import annotations

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from catalog.admin.base import HTTPS, CatalogAdmin, MissingTranslation, RecordForm
from catalog.admin.differences import named
from catalog.admin.fields import LinesField
from catalog.admin.score_table.forms import ScoreForm
from catalog.admin.score_table.views import EditedAsTable
from catalog.admin.scores_as_tables.views import ScoresAsTables
from catalog.admin.tables.views import AsTables
from catalog.models import Benchmark, LanguageModel, Score
from catalog.source.records import BenchmarkRecord
from catalog.sync.edits import edited_fields


class BenchmarkForm(RecordForm):
    record = BenchmarkRecord
    curt_variants = LinesField(label=gettext_lazy("variants without room to think"), required=False)


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
class ScoreAdmin(EditedAsTable, ScoresAsTables):
    """The scores of a model, or of a benchmark, as a table that is edited in place; whole records one by one."""

    form = ScoreForm
    list_display = ("model", "benchmark", *EditedAsTable.list_editable)
    list_filter = ("source_kind", "mode", "benchmark__category")
    list_select_related = ("model", "benchmark")
    search_fields = (
        "model__slug",
        "model__name",
        "benchmark__slug",
        "benchmark__name_en",
        "benchmark__name_zh_hans",
        "variant",
        "settings",
        "source",
    )
    autocomplete_fields = ("model", "benchmark")
    readonly_fields = ("local_edits",)
    formfield_overrides = HTTPS
    save_on_top = True

    @admin.display(description=gettext_lazy("edited here"))
    def local_edits(self, row: Score) -> str:
        return named(row, edited_fields(row)) if row.pk else ""


def links_to_scores(column: str, row: LanguageModel | Benchmark) -> str:
    """To the scores of a model or a benchmark, and to a form for another one."""
    if row.pk is None:
        return _("Save first, then add scores.")
    count = row.scores.count()
    listed = f"{reverse('admin:catalog_score_changelist')}?{column}__id__exact={row.pk}"
    added = f"{reverse('admin:catalog_score_add')}?{column}={row.pk}"
    seen = ngettext("See and edit %(count)s score", "See and edit %(count)s scores", count) % {"count": count}
    return format_html('<a href="{}">{}</a> · <a href="{}">{}</a>', listed, seen, added, _("Add a score"))
