from __future__ import annotations

from typing import Any

from django.core.paginator import InvalidPage, Page, Paginator
from django.db.models import F, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.vary import vary_on_headers

from calculator.htmx import HtmxRequest, wants_partial
from catalog.accelerator_forms import AcceleratorListForm, RunsForm
from catalog.accelerator_specs import groups
from catalog.cards import card_of
from catalog.models import Accelerator, LanguageModel
from catalog.runs import largest_that_fits_first, runs

LIST_SIZE = 50
RUNS_SIZE = 25
SORTS = {"released": "release_date", "name": "name", "parameters": "total_parameters"}


@vary_on_headers("HX-Request")
def accelerator_list(request: HtmxRequest) -> HttpResponse:
    """Every accelerator, filtered, sorted and paged by a plain GET form."""
    form = AcceleratorListForm(request.GET.dict())
    page = _page(request, form.rows(), LIST_SIZE)
    template = "catalog/_accelerator_table.html" if wants_partial(request) else "catalog/accelerators.html"
    rows = [(row, card_of(row)) for row in page]
    context = {"form": form, "page": page, "rows": rows, "pages": _pages(page)}
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
        page = _page(request, _models(form, card.usable_bytes * asked["cards"]), RUNS_SIZE)
        models = list(page)
        found = runs(models, row, asked["cards"], asked["engine"], asked["context"])
        context |= {"page": page, "pages": _pages(page), "runs": list(zip(models, found, strict=True))}
    if wants_partial(request):
        return render(request, "catalog/_runs.html", context, status=200 if valid else 400)
    context["specs"] = groups(row, card)
    return render(request, "catalog/accelerator.html", context, status=200 if valid else 400)


def _models(form: RunsForm, usable_bytes: int) -> QuerySet[LanguageModel]:
    found = LanguageModel.objects.published().search(form.cleaned_data["q"])
    rows = found.select_related("organization").only(
        "slug", "name", "name", "config", "updated_at", "total_parameters", "active_parameters", "num_experts",
        "context_tokens", "context_extended_tokens", "release_date", "organization__slug", "organization__name",
    )  # fmt: skip
    sort = form.cleaned_data["sort"]
    if not sort:
        return largest_that_fits_first(rows, usable_bytes)
    column = F(SORTS[sort.removeprefix("-")])
    ordered = column.desc(nulls_last=True) if sort.startswith("-") else column.asc(nulls_last=True)
    return rows.order_by(ordered, "slug")


def _page(request: HtmxRequest, rows: QuerySet[Any], size: int) -> Page[Any]:
    try:
        return Paginator(rows, size).page(request.GET.get("page") or 1)
    except InvalidPage as error:
        raise Http404 from error


def _pages(page: Page[Any]) -> Any:
    return page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1)
