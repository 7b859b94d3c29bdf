"""A fact that changed without a word on where it is from: the editor is asked, and the form stays open."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from catalog.admin.versioned import VersionedAdmin
from catalog.models import Source
from catalog.models.vocabulary import Fact

OWN_WORDS = {Fact.SUMMARY, Fact.DESCRIPTION}  # nobody else's


class AsksForSources(VersionedAdmin):
    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        unsaid = _changed(form) - _named(formsets)
        if change and unsaid:
            request.unsaid = True  # type: ignore[attr-defined]
            names = _(", ").join(str(Fact(fact).label) for fact in Fact.values if fact in unsaid)
            told = _("Saved. Which source says so: %(facts)s? Add one, or edit the one that names it.")
            messages.warning(request, told % {"facts": names})

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        answer = super().response_change(request, obj)
        if hasattr(request, "unsaid") and isinstance(answer, HttpResponseRedirect):
            return HttpResponseRedirect(f"{request.path}#sources-group")
        return answer


def _changed(form: Any) -> set[str]:
    return set(form.changed_data) & set(Fact.values) - OWN_WORDS


def _named(formsets: Iterable[Any]) -> set[str]:
    """Facts of the sources that were written or edited in the same form."""
    named: set[str] = set()
    for formset in formsets:
        for part in formset.forms if formset.model is Source else ():
            if part.has_changed():
                named |= set(part.cleaned_data.get("facts") or ())
    return named
