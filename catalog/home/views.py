from __future__ import annotations

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from catalog import versions
from catalog.models import Accelerator, DataChange, LanguageModel, Score, Source

NEWEST = 8
CARD_SIZES_GB = (8, 12, 16, 24, 32, 48, 64, 80, 96, 141, 192, 512)  # what cards and machines are sold with


def home(request: HttpRequest) -> HttpResponse:
    """Two ways in: look up a model, or see what a card can run."""
    newest = LanguageModel.objects.published().for_list().order_by("-release_date", "slug")[:NEWEST]
    key = versions.key("counts", DataChange.version())
    counts = cache.get_or_set(key, _counts, versions.SECONDS)
    context = {"newest": newest, "card_sizes": CARD_SIZES_GB, "counts": counts}
    return render(request, "catalog/home.html", context)


def _counts() -> dict[str, int]:
    """Counted once after each change."""
    return {
        "models": LanguageModel.objects.published().count(),
        "organizations": LanguageModel.objects.published().values("organization").distinct().count(),
        "sources": Source.objects.filter(model__is_published=True).count(),
        "scores": Score.objects.filter(model__is_published=True).count(),
        "accelerators": Accelerator.objects.count(),
    }
