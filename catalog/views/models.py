from __future__ import annotations

from django.core.paginator import InvalidPage, Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.vary import vary_on_headers

from calculator.htmx import HtmxRequest, wants_partial
from catalog.forms import ModelListForm
from catalog.hardware import MyHardware

PAGE_SIZE = 30


@vary_on_headers("HX-Request")
def model_list(request: HtmxRequest) -> HttpResponse:
    """Every published model, searched, filtered, sorted and paged by a plain GET form."""
    form, mine = ModelListForm(request.GET.dict()), MyHardware.from_query(request.GET)
    rows = form.rows().for_list()
    try:
        page = Paginator(rows, PAGE_SIZE).page(request.GET.get("page") or 1 if form.is_valid() else 1)
    except InvalidPage as error:
        raise Http404 from error
    return render(
        request,
        "catalog/_model_answer.html" if wants_partial(request) else "catalog/models.html",
        {
            "form": form,
            "page": page,
            "mine": mine,
            "fits": mine.fits(list(page)),
            "pages": page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1),
        },
        status=200 if form.is_valid() and mine.valid else 400,
    )
