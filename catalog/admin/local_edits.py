"""What was edited here beside what the data files say: left as it is, given back to them, or taken out as files."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from typing import Any, NamedTuple

from django.contrib import admin, messages
from django.contrib.admin.utils import quote
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import ForeignKey
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog import history
from catalog.admin.differences import Difference, differ, text
from catalog.admin.publishing import PUBLISH
from catalog.admin.versioned import NO_PLACE, TAKEN, VersionedAdmin
from catalog.models import Removal, Synced
from catalog.source import SHIPPED, SourceError
from catalog.sync.contribution import contribution, files_of
from catalog.sync.edits import Edit, local_edits

MOST = 200  # rows on one page


class Shown(NamedTuple):
    """One row of the page. `key` is what its box sends."""

    key: str
    kind: str
    name: str
    address: str
    added: bool
    differences: list[Difference]


class LocalEdits(VersionedAdmin):
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.local_edits_view)
        return [path("local-edits/", view, name="catalog_local_edits"), *super().get_urls()]

    def local_edits_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        edits = list(local_edits())
        if request.method != "POST":
            return self._list(request, edits)
        ticked = set(request.POST.getlist("row"))
        chosen = [edit for edit in edits if _key(edit) in ticked]
        if "_download" in request.POST:
            return self._download(request, edits, chosen)
        if not chosen:
            messages.warning(request, _("No row was ticked."))
            return HttpResponseRedirect(request.path)
        try:
            self._follow(request, chosen)
        except IntegrityError:  # an editor gave its slug to another entry
            messages.error(request, _(TAKEN))
        except ObjectDoesNotExist:
            messages.error(request, _(NO_PLACE))
        return HttpResponseRedirect(request.path)

    def _list(self, request: HttpRequest, edits: list[Edit], status: int = 200) -> HttpResponse:
        shown = [_shown(edit) for edit in edits[:MOST]]
        body = {"rows": shown, "count": len(edits), "removed": Removal.objects.count()}
        body["removed_url"] = reverse("admin:catalog_removal_changelist")
        return self._page(request, _("Local edits"), body, "catalog/admin/local_edits.html", status)

    def _follow(self, request: HttpRequest, chosen: Iterable[Edit]) -> None:
        """The file's values take the place of what was edited; that stays in the row's history. What a file says of
        being published is followed by those alone who may publish."""
        done = 0
        with transaction.atomic(), self.create_revision(request):
            for edit in chosen:
                values = [each for each in edit.values if each[0] != "is_published" or request.user.has_perm(PUBLISH)]
                if edit.added or not values or not _may_change(self.admin_site, request, edit.row):
                    continue
                history.record([edit.row], history.REPLACED, request.user)
                for name, value, _here in values:
                    setattr(edit.row, name, _linked(edit, name, value))
                edit.row.save()
                done += 1
        told = ngettext(
            "%(count)s row follows its data file again.", "%(count)s rows follow their data files again.", done
        )
        messages.success(request, told % {"count": done})

    def _download(self, request: HttpRequest, edits: list[Edit], chosen: list[Edit]) -> HttpResponse:
        try:
            made = contribution(SHIPPED)
        except SourceError as error:
            messages.error(request, str(error))
            return self._list(request, edits, status=400)
        wanted = {name for edit in chosen for name in files_of(edit.row)} if chosen else made.files.keys()
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in made.files.items():
                if name in wanted:
                    archive.writestr(f"catalog/data/{name}", content)
            if made.gone and not chosen:
                archive.writestr("removed.txt", "".join(f"catalog/data/{name}\n" for name in made.gone))
        response = HttpResponse(out.getvalue(), "application/zip")
        response["Content-Disposition"] = 'attachment; filename="model-atlas-edits.zip"'
        return response


def _key(edit: Edit) -> str:
    return f"{edit.kind.name}:{edit.row.pk}"


def _shown(edit: Edit) -> Shown:
    row = edit.row
    columns = {column.name: column for column in row._meta.concrete_fields}
    told = ((columns[name], file, here) for name, file, here in edit.values if name in columns)
    differences = [
        differ(str(column.verbose_name), _text(column, file), _text(column, here)) for column, file, here in told
    ]
    return Shown(_key(edit), str(row._meta.verbose_name), str(row), _address(row), edit.added, differences)


def _text(column: Any, value: Any) -> str:
    return str(value or "") if isinstance(column, ForeignKey) else text(column, value)


def _address(row: Synced) -> str:
    """Its form, or that of the model whose part it is."""
    for one in (row, getattr(row, "model", None)):
        if isinstance(one, Synced):
            try:
                return reverse(f"admin:catalog_{one._meta.model_name}_change", args=[quote(one.pk)])
            except NoReverseMatch:
                continue
    return ""


def _linked(edit: Edit, name: str, value: Any) -> Any:
    """Of a link the row that files know by this slug."""
    model = edit.kind.links.get(name)
    return model._base_manager.get(shipped__slug=value) if model and value else value


def _may_change(site: admin.AdminSite, request: HttpRequest, row: Synced) -> bool:
    owner = row.model if row._meta.model_name in ("source", "alias") else row  # type: ignore[attr-defined]
    return bool(site.get_model_admin(type(owner)).has_change_permission(request, owner))
