from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, QuerySet, Window
from django.db.models.functions import RowNumber
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from calculator.paging import page_of
from catalog.bridge.drafts import sees_drafts
from catalog.models import Family, LanguageModel, Organization
from catalog.models.querysets import NEWEST_FIRST, with_numbers, with_published

NEWEST = 12  # of each family on its organisation's page
FAMILY_SIZE = 50
FAMILIES_NEWEST_FIRST = ("-newest", "slug")


def organizations(request: HttpRequest) -> HttpResponse:
    """Everybody who published a model, with the families, by name."""
    theirs = Prefetch("families", with_numbers(Family.objects.all()).order_by(*FAMILIES_NEWEST_FIRST))
    rows = with_numbers(Organization.objects.prefetch_related(theirs)).order_by(*FAMILIES_NEWEST_FIRST)
    ordered = sorted(rows, key=lambda row: row.name.casefold())
    return render(request, "catalog/organizations.html", {"organizations": ordered})


def families(request: HttpRequest) -> HttpResponse:
    """Every family of models, the newest first."""
    rows = with_numbers(Family.objects.select_related("organization")).order_by(*FAMILIES_NEWEST_FIRST)
    return render(request, "catalog/families.html", {"families": rows})


def organization(request: HttpRequest, slug: str) -> HttpResponse:
    """An organisation with its families, the newest first, and the newest models of each."""
    published = LanguageModel.objects.published()
    position = Window(RowNumber(), partition_by="family", order_by=NEWEST_FIRST)
    newest = Prefetch("models", published.for_table("family").alias(at=position).filter(at__lte=NEWEST).newest_first())
    families = with_numbers(Family.objects.prefetch_related(newest)).order_by(*FAMILIES_NEWEST_FIRST)
    row: Organization = _known_or_404(
        request, Organization.objects.prefetch_related(Prefetch("families", families)), slug
    )
    return render(request, "catalog/organization.html", {"organization": row, "families": row.families.all()})


def family(request: HttpRequest, slug: str) -> HttpResponse:
    """A family with its models, page by page."""
    row: Family = _known_or_404(request, Family.objects.select_related("organization"), slug)
    models = LanguageModel.objects.published().filter(family=row).for_table().newest_first()
    paged = page_of(request.GET.get("page"), models, FAMILY_SIZE)
    return render(request, "catalog/family.html", {"family": row, **paged})


def _known_or_404(request: HttpRequest, rows: QuerySet[Any], slug: str) -> Any:
    """As lists, search and sitemap have it: one without a published model would give away what is to come."""
    named = rows.filter(slug=slug)
    row = with_published(named).first() or (named.first() if sees_drafts(request) else None)
    if row is None:
        raise Http404
    return row
