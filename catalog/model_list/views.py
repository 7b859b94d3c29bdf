from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.vary import vary_on_headers

from calculator.htmx import HtmxRequest, wants_partial
from calculator.paging import page_of
from catalog.bridge.my_hardware import MyHardware
from catalog.model_list.forms import ModelListForm

PAGE_SIZE = 30


@vary_on_headers("HX-Request")
def model_list(request: HtmxRequest) -> HttpResponse:
    """Every published model, searched, filtered, sorted and paged by a plain GET form."""
    form, mine = ModelListForm(request.GET.dict()), MyHardware.from_query(request.GET)
    valid = form.is_valid()
    paged = page_of(request.GET.get("page") if valid else None, form.rows(), PAGE_SIZE)
    return render(
        request,
        "catalog/_model_answer.html" if wants_partial(request) else "catalog/models.html",
        {**paged, "form": form, "mine": mine, "fits": mine.fits(list(paged["page"]))},
        status=200 if valid and mine.valid else 400,
    )
