from __future__ import annotations

from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from catalog.models import Family, LanguageModel, Organization


def _listed() -> Prefetch:
    return Prefetch("models", LanguageModel.objects.published().for_list().order_by("-release_date", "slug"))


def organization(request: HttpRequest, slug: str) -> HttpResponse:
    """An organisation with its families and their models."""
    families = Prefetch("families", Family.objects.prefetch_related(_listed()))
    row: Organization = get_object_or_404(Organization.objects.prefetch_related(families), slug=slug)
    shown = sorted(
        (family for family in row.families.all() if family.models.all()),
        key=lambda family: max(model.release_date for model in family.models.all()),
        reverse=True,
    )
    return render(request, "catalog/organization.html", {"organization": row, "families": shown})


def family(request: HttpRequest, slug: str) -> HttpResponse:
    """A family with its models."""
    row: Family = get_object_or_404(
        Family.objects.select_related("organization").prefetch_related(_listed()), slug=slug
    )
    return render(request, "catalog/family.html", {"family": row})
