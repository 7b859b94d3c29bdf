from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from catalog.search import find, nearest
from catalog.search_page.direct import direct
from catalog.search_page.groups import groups, lines

OF_EACH = 12
SUGGESTED = 5  # of each kind
CARDS = 12
LONGEST = 100


def search(request: HttpRequest) -> HttpResponse:
    """Whatever answers a question, by kind; if nothing does, what is like it."""
    text = _asked(request)
    answered = direct(text)
    answer = answered.entries
    context: dict[str, Any] = {"q": text, "direct": answered.line, "answer": answer}
    context["groups"] = groups(answer, answered.words, OF_EACH)
    if text and not answer.tiers:
        context["nearest"] = lines(nearest(text))
    return render(request, "catalog/search.html", context)


def suggestions(request: HttpRequest) -> HttpResponse:
    """Options of a list below a search field, as far as the question is typed."""
    text = _asked(request)
    answered = direct(text)
    found = groups(answered.entries, answered.words, SUGGESTED)
    return render(request, "catalog/_suggestions.html", {"q": text, "direct": answered.line, "groups": found})


def card_search(request: HttpRequest) -> JsonResponse:
    """Slugs of the cards that a question finds, the best first: for lists that a page has already."""
    return JsonResponse(
        [entry.slug for entry in find(_asked(request), "accelerator").of("accelerator")][:CARDS], safe=False
    )


def _asked(request: HttpRequest) -> str:
    return request.GET.get("q", "").strip()[:LONGEST]
