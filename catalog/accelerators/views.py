from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.vary import vary_on_headers

from calculator.hardware import usual_engine
from calculator.htmx import HtmxRequest, wants_partial
from calculator.paging import page_of
from catalog.accelerators.forms import AcceleratorListForm, RunsForm
from catalog.accelerators.runs import runs, words
from catalog.accelerators.specs import in_short
from catalog.best_models.forms import CONTEXT_TOKENS
from catalog.best_models.page import best_page
from catalog.bridge.cards import card_of
from catalog.bridge.rows import accelerator_or_404, models_to_place
from catalog.standings import board_label, ranks_of

LIST_SIZE = 50
RUNS_SIZE = 25


@vary_on_headers("HX-Request")
def accelerator_list(request: HtmxRequest) -> HttpResponse:
    """Every accelerator, filtered, sorted and paged by a plain GET form."""
    form = AcceleratorListForm(request.GET.dict())
    paged = page_of(request.GET.get("page"), form.rows(), LIST_SIZE)
    template = "catalog/_accelerator_table.html" if wants_partial(request) else "catalog/accelerators.html"
    context = {**paged, "form": form, "rows": [(row, card_of(row)) for row in paged["page"]]}
    return render(request, template, context, status=200 if form.is_valid() else 400)


@vary_on_headers("HX-Request")
def accelerator(request: HtmxRequest, slug: str) -> HttpResponse:
    """What the card is, with its sources, and which models run on one or several of it."""
    row = accelerator_or_404(slug)
    card = card_of(row)
    best = best_page(request.GET.dict(), card, 1)
    form = RunsForm(request.GET.dict(), card.max_cards, best.releases, CONTEXT_TOKENS, usual_engine(card))
    valid = form.is_valid() and best.valid
    context: dict[str, Any] = {"accelerator": row, "card": card, "form": form, "best": best, "valid": valid}
    if valid:
        asked = form.cleaned_data
        best = context["best"] = best.on(asked["cards"])
        board = form.sort_board or best.board
        keys = form.keys(card.usable_bytes * asked["cards"], best.releases.get(board))
        paged = page_of(request.GET.get("page"), keys, RUNS_SIZE)
        models = models_to_place(paged["page"])
        context |= {"ranks": ranks_of(models, best.releases.get(board)), "board_label": board_label(board)}
        found = runs(models, row, asked["cards"], asked["engine"], asked["context"])
        context |= {**paged, "runs": list(zip(models, found, strict=True)), "words": words(found)}
    if wants_partial(request):
        return render(request, "catalog/_card_answer.html", context, status=200 if valid else 400)
    context["in_short"] = in_short(row)
    return render(request, "catalog/accelerator.html", context, status=200 if valid else 400)
