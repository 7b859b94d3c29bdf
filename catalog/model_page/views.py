from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.vary import vary_on_headers

from calculator import panel
from calculator.architecture import Shape
from calculator.catalogue import Model
from calculator.deployment_answers import CommandView, commands
from calculator.hardware_form import flattened
from calculator.htmx import HtmxRequest, wants_partial
from calculator.memory_by_context import growth
from calculator.workload_form import WorkloadForm
from catalog.bridge.cards import all_cards
from catalog.bridge.catalogue import sources
from catalog.bridge.rows import published_model_or_404
from catalog.bridge.shapes import max_context_tokens, shape_of
from catalog.model_page.facts import facts
from catalog.models import LanguageModel


@vary_on_headers("HX-Request")
def model_page(request: HtmxRequest, slug: str) -> HttpResponse:
    """What the model is and what it takes to run it; answers htmx with the parts that depend on the workload."""
    model = published_model_or_404(slug)
    shape = shape_of(model)
    if shape and wants_partial(request):
        return _recomputed(request, model, shape)
    context: dict[str, Any] = {"model": model, "facts": facts(slug)}
    status = 200
    if shape:
        context |= _memory(request, model, shape)
        status = 200 if context["panel"].estimate else 400
    return render(request, "catalog/model.html", context, status=status)


def _recomputed(request: HtmxRequest, model: LanguageModel, shape: Shape) -> HttpResponse:
    context = _memory(request, model, shape)
    form = context["panel"].form
    response = render(request, "catalog/_model_memory.html", context, status=200 if form.is_valid() else 400)
    # The address says what the page shows, also where a new engine brought its own default formats.
    response["HX-Replace-Url"] = f"{request.path}?{form.urlencode()}"
    return response


def _memory(request: HtmxRequest, model: LanguageModel, shape: Shape) -> dict[str, Any]:
    new_engine = request.htmx.trigger_name == "engine"
    cards = all_cards()
    form = WorkloadForm(
        shape,
        flattened(request.GET),
        max_context_tokens=max_context_tokens(model, shape),
        formats_may_default=new_engine,
        cards=cards,
    )
    shown = panel.build(shape, form, cards)
    return {
        "panel": shown,
        "growth": growth(shape, form) if shown.estimate else None,
        "panel_url": model.get_absolute_url(),
        "calculator_query": f"model={model.slug}&{form.urlencode()}",
        "new_engine": new_engine,
        "command": _command(model, shape, form) if shown.estimate else None,
    }


def _command(model: LanguageModel, shape: Shape, form: WorkloadForm) -> CommandView | None:
    """What starts it, as the full calculator says first; none on cards on which it does not run."""
    known = Model(name=model.name, shape=shape, sources=tuple(sources(model, shape.native_format)))
    return next(iter(commands(known, form.workload, form.placed)), None)
