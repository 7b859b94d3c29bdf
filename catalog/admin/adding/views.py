"""Two steps of one page: the first asks for config.json, the second is the ordinary form with what was found in it.

The second is the answer to the first, so nothing is handed over: the form itself carries the file.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from catalog.admin.adding.reading import Reading, reading, sent
from catalog.admin.adding.shown import shown
from catalog.admin.versioned import LOOKING, VersionedAdmin
from catalog.models import Source
from catalog.models.vocabulary import SourceKind

BY_HAND = "by_hand"  # in the address: the empty form, for a model without a config.json
STEP_ONE = frozenset({"_read", "_unread"})  # its buttons


class AddedFromConfig(VersionedAdmin):
    change_form_template: Any = "admin/catalog/languagemodel/change_form.html"

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method in LOOKING:
            return super().add_view(request, form_url, extra_context) if BY_HAND in request.GET else self._ask(request)
        if STEP_ONE & request.POST.keys():
            return self._answer(request, sent(request))
        config, repository = request.POST.get("config", ""), request.POST.get("hf_repo", "")
        again = _shown(lambda: reading(config, repository)) if config.strip() else None
        return super().add_view(request, form_url, again)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        found = getattr(request, "reading", None)
        initial = super().get_changeform_initial_data(request)
        values = found.values if found else {}
        return initial | {name: value.pk if isinstance(value, Model) else value for name, value in values.items()}

    def get_formset_kwargs(self, request: HttpRequest, obj: Any, inline: Any, prefix: str) -> dict[str, Any]:
        options: dict[str, Any] = super().get_formset_kwargs(request, obj, inline, prefix)
        found = getattr(request, "reading", None)
        if found and inline.model is Source:
            options["initial"] = [_source(found)]
        return options

    def _ask(self, request: HttpRequest, found: Reading | None = None) -> HttpResponse:
        """Step one, empty or with what was wrong."""
        wrong = bool(found and (found.faults or found.unread))
        body = {"reading": found or Reading()}
        return self._page(request, _("Add a model"), body, "catalog/admin/new_model.html", status=400 if wrong else 200)

    def _answer(self, request: HttpRequest, found: Reading) -> HttpResponse:
        if found.faults or (found.unread and "_unread" not in request.POST):
            return self._ask(request, found)
        asked: Any = copy(request)
        asked.method, asked.reading = "GET", found
        return super().add_view(asked, "", _shown(lambda: found))


def _shown(found: Callable[[], Reading]) -> dict[str, Any]:
    """For the head of the form; not computed where the form is saved."""
    return {"reading": SimpleLazyObject(lambda: shown(found()))}


def _source(found: Reading) -> dict[str, Any]:
    """The file itself as the source of what was read from it, not opened by anybody yet."""
    if found.rebuilt:
        told = _("Rebuilt from the header of a GGUF file")
        return {"facts": ["config"], "ref": told, "kind": SourceKind.SECONDARY, "position": 1}
    repository = found.read.get("hf_repo") or found.read.get("modelscope_repo") or ""
    hub = "https://huggingface.co/{}/blob/main/config.json"
    if "modelscope_repo" in found.read:
        hub = "https://modelscope.cn/models/{}/file/view/master/config.json"
    return {
        "facts": ["config"],
        "ref": f"{repository} config.json".strip(),
        "url": hub.format(repository) if repository else "",
        "kind": SourceKind.CONFIG,
        "position": 1,
    }
