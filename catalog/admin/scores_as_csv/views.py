"""A table of scores goes in by two steps: what it would change is seen, then all of it is saved, or nothing."""

from __future__ import annotations

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

from catalog.admin.scores_as_csv.plan import Plan, plan
from catalog.admin.scores_as_csv.table import COLUMNS, MOST_BYTES, REQUIRED, UnreadableTableError, written
from catalog.admin.versioned import VersionedAdmin
from catalog.models import Score


class ScoresAsCsv(VersionedAdmin):
    change_list_template: Any = "admin/catalog/score/change_list.html"
    actions: Any = ("download",)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.import_view)
        return [path("import/", view, name="catalog_score_import"), *super().get_urls()]

    @admin.action(permissions=["view"], description=gettext_lazy("Download as CSV"))
    def download(self, request: HttpRequest, queryset: QuerySet[Score]) -> HttpResponse:
        """What is ticked, or all that the list shows; the same table goes in again."""
        response = HttpResponse("\ufeff" + written(queryset.select_related("model", "benchmark")), "text/csv")
        response["Content-Disposition"] = 'attachment; filename="scores.csv"'
        return response

    def import_view(self, request: HttpRequest) -> HttpResponse:
        if not (self.has_add_permission(request) and self.has_change_permission(request)):
            raise PermissionDenied
        if request.method != "POST":
            return self._table(request, "")
        text = _sent(request)
        try:
            found = plan(text)
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
        told = _("Saved: %(added)s new scores, %(changed)s changed.")
        messages.success(request, told % {"added": len(found.added), "changed": len(found.changed)})
        return HttpResponseRedirect(reverse("admin:catalog_score_changelist"))

    def _table(self, request: HttpRequest, text: str, **told: Any) -> HttpResponse:
        body = {"text": text, "columns": COLUMNS, "required": REQUIRED, **told}
        wrong = "fault" in told or bool(told.get("plan") and told["plan"].refused)
        template = "catalog/admin/scores_from_csv.html"
        return self._page(request, _("Scores from CSV"), body, template, status=400 if wrong else 200)


def _sent(request: HttpRequest) -> str:
    upload = request.FILES.get("file")
    if isinstance(upload, UploadedFile):
        return upload.read(MOST_BYTES + 1).decode("utf-8-sig", "replace")
    return request.POST.get("table", "")
