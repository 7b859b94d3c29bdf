"""A table goes in by two steps: what it would change is seen, then all of it is saved, or nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.admin.scores_as_csv.table import MOST_BYTES, UnreadableTableError
from catalog.admin.tables.formats import FORMATS, written
from catalog.admin.tables.plan import Plan, Planner
from catalog.admin.versioned import VersionedAdmin
from catalog.source.records import Record
from catalog.sync.export import record_of


class AsTables(VersionedAdmin):
    """`record` says what a row of the table may hold; `contradictions` what two of its values may not say together."""

    record: type[Record]
    change_list_template: Any = "admin/catalog/table_change_list.html"
    actions: Any = ("as_csv", "as_json", "as_toml")

    def contradictions(self, record: Any) -> Iterable[str]:
        return ()

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.import_view)
        return [path("import/", view, name=f"catalog_{self._name}_import"), *super().get_urls()]

    @property
    def _name(self) -> str:
        return str(self.model._meta.model_name)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        link = {"import_url": reverse(f"admin:catalog_{self._name}_import")}
        answer: HttpResponse = super().changelist_view(request, link | (extra_context or {}))
        return answer

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
        records = (record_of(self.record, row) for row in queryset.order_by("slug"))
        response = HttpResponse(written(form, self._name, records), f"{FORMATS[form]}; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{self._name}.{form}"'
        return response

    def import_view(self, request: HttpRequest) -> HttpResponse:
        if not (self.has_add_permission(request) and self.has_change_permission(request)):
            raise PermissionDenied
        if request.method != "POST":
            return self._table(request, "")
        text = _sent(request)
        try:
            found = Planner(self.model, self.record, self.contradictions).plan(text)
        except UnreadableTableError as error:
            return self._table(request, text, fault=str(error))
        if "_save" in request.POST and found.changes and not found.refused:
            return self._save(request, found, text)
        return self._table(request, text, plan=found)

    def _save(self, request: HttpRequest, found: Plan, text: str) -> HttpResponse:
        try:
            with self.create_revision(request):
                found.save()
        except IntegrityError:  # somebody else saved one of them meanwhile
            told = _("Something changed meanwhile, and nothing was saved. Look again.")
            return self._table(request, text, fault=told)
        told = _("Saved: %(added)s new, %(changed)s changed.")
        messages.success(request, told % {"added": len(found.added), "changed": len(found.changed)})
        return HttpResponseRedirect(reverse(f"admin:catalog_{self._name}_changelist"))

    def _table(self, request: HttpRequest, text: str, **told: Any) -> HttpResponse:
        required = {name for name, column in self.record.model_fields.items() if column.is_required()}
        body = {"text": text, "columns": tuple(self.record.model_fields), "required": required, **told}
        wrong = "fault" in told or bool(told.get("plan") and told["plan"].refused)
        title = _("Import: %(kind)s") % {"kind": self.model._meta.verbose_name_plural}
        return self._page(request, title, body, "catalog/admin/table.html", status=400 if wrong else 200)


def _sent(request: HttpRequest) -> str:
    upload = request.FILES.get("file")
    if isinstance(upload, UploadedFile):
        return upload.read(MOST_BYTES + 1).decode("utf-8-sig", "replace")
    return request.POST.get("table", "")
