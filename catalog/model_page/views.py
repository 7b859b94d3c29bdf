from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import get_language
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
from catalog.bridge.drafts import sees_drafts
from catalog.bridge.rows import current_slug, published_model
from catalog.bridge.shapes import max_context_tokens, shape_of, why_no_memory
from catalog.model_page.answer import answer
from catalog.model_page.facts import facts
from catalog.model_page.structured_data import graph
from catalog.models import LanguageModel


@vary_on_headers("HX-Request")
def model_page(request: HtmxRequest, slug: str) -> HttpResponse:
    """What the model is and what it takes to run it; answers htmx with the parts that depend on the workload."""
    model = published_model(slug) or _draft(request, slug)
    if model is None:
        return _moved_or_404(request, slug)
    shape = shape_of(model)
    if shape and wants_partial(request):
        return _recomputed(request, model, shape)
    known, absolute = answer(model), request.build_absolute_uri
    context: dict[str, Any] = {
        "model": model,
        "facts": facts(slug),
        "answer": known,
        "share_image_url": absolute(reverse("catalog:model_image", args=[slug])),
        "structured_data": graph(model, known, absolute, get_language() or "en"),
    }
    status = 200
    if shape:
        context |= _memory(request, model, shape)
        status = 200 if context["panel"].estimate else 400
    else:
        context["why_no_memory"] = why_no_memory(model)
    return render(request, "catalog/model.html", context, status=status)


def _draft(request: HtmxRequest, slug: str) -> LanguageModel | None:
    """What is not published yet, for its editors."""
    return LanguageModel.objects.named(slug).first() if sees_drafts(request) else None


def _moved_or_404(request: HtmxRequest, slug: str) -> HttpResponse:
    """A slug of earlier days, or another name, leads to the model for good."""
    current = current_slug(slug)
    if current is None:
        raise Http404
    query = request.META["QUERY_STRING"]
    address = reverse("catalog:model", args=[current])
    return HttpResponsePermanentRedirect(f"{address}?{query}" if query else address)


def _recomputed(request: HtmxRequest, model: LanguageModel, shape: Shape) -> HttpResponse:
    context = _memory(request, model, shape)
    form = context["panel"].form
    # Without the request: what the frame of a page needs is worked out for it.
    written = render_to_string("calculator/_recomputed.html", context)
    response = HttpResponse(written, status=200 if form.is_valid() else 400)
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
    known = Model(name=model.name, shape=shape, sources=sources(model, shape))
    return next(iter(commands(known, form.workload, form.placed)), None)
