"""Entries, out and in as CSV, JSON or TOML."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy

from catalog.admin.tables.changes import Plan
from catalog.admin.tables.formats import FORMATS, written
from catalog.admin.tables.importing import ImportsTables
from catalog.admin.tables.plan import Planner
from catalog.sync.export import record_of


class AsTables(ImportsTables):
    """`contradictions`: what two values of a record may not say together."""

    accepts = ".csv,.json,.toml"
    help_text = gettext_lazy(
        "CSV, whose first line names the columns, a list in JSON, or tables in TOML, with the names of the data files. "
        "What an entry leaves out stays as it is."
    )
    actions: Any = ("as_csv", "as_json", "as_toml")

    def contradictions(self, record: Any) -> Iterable[str]:
        return ()

    def plan(self, text: str) -> Plan:
        return Planner(self.model, self.record, self.contradictions).plan(text)

    def in_order(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.order_by("slug")

    @admin.action(permissions=["view"], description=gettext_lazy("Download as CSV"))
    def as_csv(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        return self._download(queryset, "csv")

    @admin.action(permissions=["view"], description=gettext_lazy("Download as JSON"))
    def as_json(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        return self._download(queryset, "json")

    @admin.action(permissions=["view"], description=gettext_lazy("Download as TOML"))
    def as_toml(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        return self._download(queryset, "toml")

    def _download(self, queryset: QuerySet[Any], form: str) -> HttpResponse:
        records = (record_of(self.record, row) for row in self.in_order(queryset))
        response = HttpResponse(written(form, self._name, records), f"{FORMATS[form]}; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{self._name}.{form}"'
        return response
