from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from catalog.models import Accelerator, LanguageModel, Organization, Score, Source

NEWEST = 8
CARD_SIZES_GB = (8, 12, 16, 24, 32, 48, 64, 80, 96, 141, 192, 512)  # what cards and machines are sold with


def home(request: HttpRequest) -> HttpResponse:
    """Two ways in: look up a model, or see what a card can run."""
    published = LanguageModel.objects.published()
    return render(
        request,
        "catalog/home.html",
        {
            "newest": published.for_list().order_by("-release_date", "slug")[:NEWEST],
            "card_sizes": CARD_SIZES_GB,
            "counts": {
                "models": published.count(),
                "organizations": Organization.objects.filter(models__is_published=True).distinct().count(),
                "sources": Source.objects.filter(model__is_published=True).count(),
                "scores": Score.objects.filter(model__is_published=True).count(),
                "accelerators": Accelerator.objects.count(),
            },
        },
    )
