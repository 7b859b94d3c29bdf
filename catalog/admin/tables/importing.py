"""A table goes in by two steps: what it would change is seen, then all of it is saved, or nothing."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from catalog.admin.tables.changes import MOST_BYTES, Plan, UnreadableTableError
from catalog.admin.versioned import VersionedAdmin
from catalog.source.records import Record


class ImportsTables(VersionedAdmin):
    """`record` says what a row of the table may hold, `accepts` which files are offered, `help_text` how they look."""

    record: type[Record]
    accepts: str
    help_text: Promise
    change_list_template: Any = "admin/catalog/table_change_list.html"

    def plan(self, text: str) -> Plan:
        """Raises UnreadableTableError for what is no table at all."""
        raise NotImplementedError

    @property
    def _name(self) -> str:
        return str(self.model._meta.model_name)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.import_view)
        return [path("import/", view, name=f"catalog_{self._name}_import"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        link = {"import_url": reverse(f"admin:catalog_{self._name}_import")}
        answer: HttpResponse = super().changelist_view(request, link | (extra_context or {}))
        return answer

    def import_view(self, request: HttpRequest) -> HttpResponse:
        if not (self.has_add_permission(request) and self.has_change_permission(request)):
            raise PermissionDenied
        if request.method != "POST":
            return self._table(request, "")
        text = _sent(request)
        try:
            found = self.plan(text)
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
        columns = self.record.model_fields
        needed = [name for name, column in columns.items() if column.is_required()]
        body = {
            "text": text,
            "accepts": self.accepts,
            "help_text": self.help_text,
            "needed": sorted(needed),
            "others": [name for name in columns if name not in needed],
            **told,
        }
        wrong = "fault" in told or bool(told.get("plan") and told["plan"].refused)
        title = _("Import: %(kind)s") % {"kind": self.model._meta.verbose_name_plural}
        return self._page(request, title, body, "catalog/admin/table.html", status=400 if wrong else 200)


def _sent(request: HttpRequest) -> str:
    upload = request.FILES.get("file")
    if isinstance(upload, UploadedFile):
        return upload.read(MOST_BYTES + 1).decode("utf-8-sig", "replace")
    return request.POST.get("table", "")
