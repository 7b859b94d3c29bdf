"""The front page: which models are best on the reader's cards, at once."""

from __future__ import annotations

from django.core.cache import cache
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.vary import vary_on_headers

from calculator.hardware import Card
from calculator.htmx import HtmxRequest, wants_partial
from catalog import versions
from catalog.best_models.page import best_page
from catalog.bridge.cards import all_cards
from catalog.bridge.my_hardware import MyHardware
from catalog.models import Accelerator, DataChange, LanguageModel, Score, Source

NEWEST = 8
USUAL_CARD = "rtx-4090"
"""Answered for, and named, where no card is chosen: 24 GB, the most that cards for one's own machine commonly have."""


@vary_on_headers("HX-Request")
def home(request: HtmxRequest) -> HttpResponse:
    """The best models for the reader's cards, or for a usual one; then what is new, and what stands behind it."""
    mine = MyHardware.from_query(request.GET)
    card = mine.card or (_usual_card() if mine.valid else None)
    best = best_page(request.GET.dict(), card, mine.count)
    valid = best.valid and mine.valid
    context = {"mine": mine, "best": best, "valid": valid, "assumed": mine.card is None}
    status = 200 if valid else 400
    if wants_partial(request):
        return render(request, "catalog/_best_answer.html", context, status=status)
    newest = LanguageModel.objects.published().for_list().order_by("-release_date", "slug")[:NEWEST]
    key = versions.key("counts", DataChange.version())
    context |= {"newest": newest, "counts": cache.get_or_set(key, _counts, versions.SECONDS)}
    return render(request, "catalog/home.html", context, status=status)


def _usual_card() -> Card | None:
    return next((card for card in all_cards() if card.slug == USUAL_CARD), None)


def _counts() -> dict[str, int]:
    """Counted once after each change."""
    drafts = LanguageModel.objects.filter(is_published=False)
    return {
        "models": LanguageModel.objects.published().count(),
        "organizations": LanguageModel.objects.published().values("organization").distinct().count(),
        "sources": Source.objects.filter(model__is_published=True).count(),
        # Counted less those of drafts, as it would take long to look up the model of each.
        "scores": Score.objects.count() - Score.objects.filter(model__in=drafts).count(),
        "accelerators": Accelerator.objects.count(),
    }
