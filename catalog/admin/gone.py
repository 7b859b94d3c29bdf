"""An entry that somebody deleted while another wrote in it: what was typed comes back, to be saved as a new one."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.translation import gettext as _
from reversion.models import Version

from catalog.admin.versioned import VersionedAdmin

AS_NEW = "as_new"  # in the address that the form is then sent to
OF_A_ROW = re.compile(r".+-\d+-(id|model)|initial-.+|.+-\d+-initial-.+")  # keys, and what rows held: both are gone
COUNT = re.compile(r".+-INITIAL_FORMS")


class GivesBack(VersionedAdmin):
    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        """Django's place for an entry that is not here: it leads away, and the typing is lost."""
        if request.method != "POST" or not self.has_add_permission(request):
            return super()._get_obj_does_not_exist_redirect(request, opts, object_id)
        asked: Any = request
        asked.POST, asked.gone = self._as_new(request.POST, unquote(object_id)), AS_NEW not in request.GET
        return self._changeform_view(request, None, f"?{AS_NEW}=1", {})

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:
        form = super().get_form(request, obj, change=change, **options)
        return type("Gone", (Gone, form), {}) if getattr(request, "gone", False) else form

    def _as_new(self, sent: QueryDict, object_id: str) -> QueryDict:
        """The same form for a row that is not there yet. A fixed slug is not sent: history knows it."""
        new = sent.copy()
        for name in sent:
            if OF_A_ROW.fullmatch(name):
                del new[name]
            elif COUNT.fullmatch(name):
                new[name] = "0"
        if "slug" not in new and (kept := Version.objects.get_deleted(self.model).filter(object_id=object_id).first()):
            new["slug"] = kept.field_dict.get("slug", "")
        return new


class Gone(forms.ModelForm):
    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        told = _("This entry was deleted meanwhile. What you typed stands below: save it as a new one, or leave it.")
        self.add_error(None, told)
        return cleaned
