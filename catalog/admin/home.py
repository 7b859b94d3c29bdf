"""The editors' first page: what still needs work, with a link to the list of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db.models import Count, Q, Sum
from django.http import HttpRequest
from django.template import Library
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from catalog.admin.completeness import LABELS, with_gaps
from catalog.models import LanguageModel, Removal

register = Library()  # for the template of the admin's index


class Lack(NamedTuple):
    label: str | Promise
    models: int
    address: str


@register.simple_tag(takes_context=True)
def needs_work(context: Mapping[str, Any]) -> SafeString:
    """Empty for who may not change models."""
    request: HttpRequest = context["request"]
    if not request.user.has_perm("catalog.change_languagemodel"):
        return SafeString("")
    body = {"lacks": _lacks(), "total": LanguageModel.objects.count(), "removed": Removal.objects.count()}
    body |= {"local_edits_url": reverse("admin:catalog_local_edits"), "all_url": _list()}
    body["removed_url"] = reverse("admin:catalog_removal_changelist")
    return SafeString(render_to_string("catalog/admin/home.html", body, request=request))


def _lacks() -> list[Lack]:
    sums = {name: Sum(f"lacks_{name}") for name in LABELS}
    counted = with_gaps(LanguageModel.objects.all()).aggregate(drafts=Count("pk", filter=Q(is_published=False)), **sums)
    found = [Lack(label, counted[name] or 0, f"{_list()}?lacks={name}") for name, label in LABELS.items()]
    return [*found, Lack(_("publication (drafts)"), counted["drafts"], f"{_list()}?is_published__exact=0")]


def _list() -> str:
    return reverse("admin:catalog_languagemodel_changelist")
