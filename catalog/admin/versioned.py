"""Versions of what editors save: seen beside what stands now, restored, and brought back. Looking writes nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.contrib import messages
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import translation
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from reversion.admin import VersionAdmin
from reversion.errors import RevertError
from reversion.models import Version
from reversion.revisions import is_active, set_comment

from catalog import history
from catalog.admin.differences import compared, contents
from catalog.models import Synced

NO_PLACE = gettext_noop("This version names something that is no longer here. Nothing was changed.")
TAKEN = gettext_noop(
    "Another entry has its slug, or another of its names, now. Delete that one first: it can be recovered, too. "
    "Nothing was changed."
)
NAMES = re.compile(r'"(?:[^"\\]|\\.)*"')  # strings of JSON
FIELDS = re.compile(rf'(?<="fields": )\[(?:{NAMES.pattern}|[, ])*\]')
SPACED = re.compile(r"(?<=[\u3400-\u9fff）]) (?=[\u3400-\u9fff])")  # Django says "and" between spaces in any language
LOOKING = ("GET", "HEAD", "OPTIONS")


def _in_words(comment: str, names: Mapping[str, str]) -> str:
    told = FIELDS.sub(lambda fields: NAMES.sub(lambda name: names.get(name[0], name[0]), fields[0]), comment)
    said = LogEntry(change_message=told).get_change_message()
    return SPACED.sub("", said)


class VersionedAdmin(VersionAdmin):
    history_latest_first = True

    @contextmanager
    def create_revision(self, request: HttpRequest) -> Iterator[None]:
        """None for a page that is only looked at: a revision opens a transaction, and on SQLite each waits for whoever
        writes (`config.databases`)."""
        if request.method in LOOKING:
            yield
            return
        with super().create_revision(request):
            yield

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        response = super().history_view(request, object_id, extra_context)
        if isinstance(response, TemplateResponse) and response.context_data:
            names = self._names_of_fields(request)
            for action in response.context_data["action_list"]:
                revision = action["revision"]
                if revision.comment in history.COMMENTS:
                    revision.comment = _(revision.comment)
                revision.comment = _in_words(revision.comment, names)
        return response

    def log_addition(self, request: HttpRequest, *of: Any) -> LogEntry:
        return self._not_yet_said(super().log_addition(request, *of))

    def log_change(self, request: HttpRequest, *of: Any) -> LogEntry:
        return self._not_yet_said(super().log_change(request, *of))

    def _not_yet_said(self, entry: LogEntry) -> LogEntry:
        """History keeps what was changed as data: django-reversion would keep a sentence in the editor's language,
        which others do not read."""
        if is_active():
            set_comment(entry.change_message)
        return entry

    def _names_of_fields(self, request: HttpRequest) -> Mapping[str, str]:
        """As history keeps them, in English and as JSON, with what the forms call them in the editor's language."""
        forms = [
            self.get_form(request),
            *(inline.get_formset(request).form for inline in self.get_inline_instances(request)),
        ]
        labels = [field.label for form in forms for field in form.base_fields.values() if field.label]
        with translation.override(None):
            english = [json.dumps(str(label), ensure_ascii=False) for label in labels]
        return {name: json.dumps(str(label)) for name, label in zip(english, labels, strict=True)}

    def revision_view(
        self, request: HttpRequest, object_id: str, version_id: int, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """An older version beside what stands now; posted, it is restored."""
        row: Any = self.get_object(request, unquote(object_id))
        version = get_object_or_404(Version, pk=version_id, object_id=unquote(object_id))
        if row is None or version._model is not self.model:
            raise Http404
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        allowed = self.may_restore(request, version)
        if request.method not in LOOKING:
            if not allowed:
                raise PermissionDenied
            return self._restore(request, row, version)
        body = {"rows": compared(version, row), "row": row, "version": version, "recover": False, "allowed": allowed}
        return self._page(request, _("An older version of %(name)s") % {"name": row}, body)

    def recover_view(
        self, request: HttpRequest, version_id: int, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What was deleted; posted, it comes back with all that went with it."""
        version = get_object_or_404(Version.objects.get_deleted(self.model), pk=version_id)
        if not (self.has_add_permission(request) and self.has_change_permission(request)):
            raise PermissionDenied
        allowed = all(self._may_bring_back(request, part) for part in version.revision.version_set.all())
        if request.method not in LOOKING:
            if not allowed:
                raise PermissionDenied
            return self._bring_back(request, version)
        parts = version.revision.version_set.exclude(pk=version.pk).order_by("pk")
        body = {"rows": contents(version), "parts": parts, "version": version, "recover": True, "allowed": allowed}
        return self._page(request, _("Recover %(name)s") % {"name": version.object_repr}, body)

    def _may_bring_back(self, request: HttpRequest, part: Version) -> bool:
        """One of all that comes back together, whichever was asked for: by the right that its own page asks for."""
        if self.admin_site.is_registered(part._model):
            return bool(self.admin_site.get_model_admin(part._model).may_bring_back(request, part))
        return bool(request.user.has_perm(f"{part._model._meta.app_label}.add_{part._model._meta.model_name}"))

    def may_restore(self, request: HttpRequest, version: Version) -> bool:
        """Whether whoever may change the row may have it as it was in `version`."""
        return True

    def may_bring_back(self, request: HttpRequest, version: Version) -> bool:
        """Whether a row of this kind may come back as it was."""
        return self.has_add_permission(request) and self.has_change_permission(request)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        history.keep_deleted(obj, request.user)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for row in queryset:
            history.keep_deleted(row, request.user)
        super().delete_queryset(request, queryset)

    def _restore(self, request: HttpRequest, row: Synced, version: Version) -> HttpResponse:
        try:
            history.restore(row, version, request.user)
        except IntegrityError:
            messages.error(request, _(NO_PLACE))
            return HttpResponseRedirect(request.path)
        self.log_change(request, row, _("An older version was restored."))
        messages.success(request, _("The older version stands again; what it replaced is in the history."))
        return HttpResponseRedirect(self._address("change", row.pk))

    def _bring_back(self, request: HttpRequest, version: Version) -> HttpResponse:
        try:
            history.bring_back(version)
        except (RevertError, IntegrityError) as error:
            # Links are looked at once all rows stand: what fails before that is a key that is unique.
            messages.error(request, _(TAKEN if isinstance(error, RevertError) else NO_PLACE))
            return HttpResponseRedirect(request.path)
        row = get_object_or_404(self.model._base_manager, pk=version.object_id)
        self.log_change(request, row, _("It was brought back."))
        messages.success(request, _("Here again: %(name)s, with all that had been deleted with it.") % {"name": row})
        return HttpResponseRedirect(self._address("change", row.pk))

    def _address(self, page: str, pk: int) -> str:
        options = self.model._meta
        return reverse(f"admin:{options.app_label}_{options.model_name}_{page}", args=[quote(pk)])

    def _page(
        self,
        request: HttpRequest,
        title: str,
        body: dict[str, Any],
        template: str = "catalog/admin/version.html",
        status: int = 200,
    ) -> TemplateResponse:
        """A page of the admin with a part that is ours."""
        shown = SafeString(render_to_string(template, body, request=request))
        context = {**self.admin_site.each_context(request), "title": title, "opts": self.model._meta}
        context |= {"body": shown, "media": self.media}
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/catalog_page.html", context, status=status)
