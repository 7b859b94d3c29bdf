from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.vary import vary_on_headers

from calculator.htmx import HtmxRequest, wants_partial
from calculator.paging import page_of
from catalog.accelerators.forms import AcceleratorListForm, RunsForm
from catalog.accelerators.runs import runs
from catalog.accelerators.specs import groups
from catalog.bridge.cards import card_of
from catalog.models import Accelerator

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
    row = get_object_or_404(Accelerator, slug=slug)
    card = card_of(row)
    form = RunsForm(request.GET.dict(), card.max_cards)
    context: dict[str, Any] = {"accelerator": row, "card": card, "form": form}
    valid = form.is_valid()
    if valid:
        asked = form.cleaned_data
        paged = page_of(request.GET.get("page"), form.rows(card.usable_bytes * asked["cards"]), RUNS_SIZE)
        models = list(paged["page"])
        found = runs(models, row, asked["cards"], asked["engine"], asked["context"])
        context |= {**paged, "runs": list(zip(models, found, strict=True))}
    if wants_partial(request):
        return render(request, "catalog/_runs.html", context, status=200 if valid else 400)
    context["specs"] = groups(row, card)
    return render(request, "catalog/accelerator.html", context, status=200 if valid else 400)
