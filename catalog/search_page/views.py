from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from catalog.search import find, nearest
from catalog.search_page.groups import groups, lines

OF_EACH = 12
SUGGESTED = 5  # of each kind
CARDS = 12
LONGEST = 100


def search(request: HttpRequest) -> HttpResponse:
    """Whatever answers a question, by kind; if nothing does, what is like it."""
    text = _asked(request)
    answer = find(text, partly=True)
    context: dict[str, Any] = {"q": text, "answer": answer, "groups": groups(answer, text, OF_EACH)}
    if text and not answer.hits:
        context["nearest"] = [line for entry in nearest(text) for line in lines(entry.kind, [entry])]
    return render(request, "catalog/search.html", context)


def suggestions(request: HttpRequest) -> HttpResponse:
    """Options of a list below a search field, as far as the question is typed."""
    text = _asked(request)
    found = groups(find(text, partly=True), text, SUGGESTED)
    return render(request, "catalog/_suggestions.html", {"q": text, "groups": found})


def card_search(request: HttpRequest) -> JsonResponse:
    """Slugs of the cards that a question finds, the best first: for lists that a page has already."""
    return JsonResponse(
        [entry.slug for entry in find(_asked(request), "accelerator").of("accelerator")][:CARDS], safe=False
    )


def _asked(request: HttpRequest) -> str:
    return request.GET.get("q", "").strip()[:LONGEST]
