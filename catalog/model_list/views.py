from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.vary import vary_on_headers

from calculator.htmx import HtmxRequest, wants_partial
from calculator.paging import page_of
from catalog.bridge.my_hardware import MyHardware
from catalog.bridge.rows import models_for_table
from catalog.model_list.forms import ModelListForm
from catalog.standings import board_label, newest, ranks_of

PAGE_SIZE = 30


@vary_on_headers("HX-Request")
def model_list(request: HtmxRequest) -> HttpResponse:
    """Every published model, searched, filtered, sorted and paged by a plain GET form."""
    releases = newest()
    mine = MyHardware.from_query(request.GET)
    form = ModelListForm(request.GET.dict(), mine, releases)
    valid = form.is_valid()
    release = releases.get(form.board)
    paged = page_of(request.GET.get("page") if valid else None, form.keys(release), PAGE_SIZE)
    rows = models_for_table(paged["page"])
    fits = mine.fits(rows, form.context_tokens)
    shown = [row for row in rows if form.kept(row, fits)]
    context = {
        **paged,
        "form": form,
        "mine": mine,
        "fits": fits,
        "rows": shown,
        "left_out": len(rows) - len(shown),
        "ranks": ranks_of(rows, release),
        "board_label": board_label(form.board) if release else "",
    }
    template = "catalog/_model_answer.html" if wants_partial(request) else "catalog/models.html"
    return render(request, template, context, status=200 if valid and mine.valid else 400)
