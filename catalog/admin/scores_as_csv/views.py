"""Scores, out and in as CSV."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy

from catalog.admin.scores_as_csv.plan import plan
from catalog.admin.scores_as_csv.table import written
from catalog.admin.tables.changes import Plan
from catalog.admin.tables.importing import ImportsTables
from catalog.models import Score
from catalog.source.records import ScoreRecord


class ScoresAsCsv(ImportsTables):
    record = ScoreRecord
    accepts = ".csv,text/csv"
    help_text = gettext_lazy("CSV, whose first line names the columns, with the names of the data files.")
    actions: Any = ("download",)

    def plan(self, text: str) -> Plan:
        return plan(text)

    @admin.action(permissions=["view"], description=gettext_lazy("Download as CSV"))
    def download(self, request: HttpRequest, queryset: QuerySet[Score]) -> HttpResponse:
        """What is ticked, or all that the list shows; the same table goes in again."""
        response = HttpResponse("\ufeff" + written(queryset.select_related("model", "benchmark")), "text/csv")
        response["Content-Disposition"] = 'attachment; filename="scores.csv"'
        return response
