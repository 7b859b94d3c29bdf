"""The full calculator: any model of the catalogue, or any config.json."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from calculator import export, panel
from calculator.answers import Answers, answer
from calculator.catalogue import Catalogue, Model, configured_catalogue
from calculator.deployment import DeploymentForm
from calculator.growth import growth
from calculator.hardware_form import flattened
from calculator.htmx import HtmxRequest, dragging, wants_partial
from calculator.pasted import read_pasted
from calculator.training import TrainingForm, TrainingView, train

KEPT = ("engine", "sequences", "card", "cards")  # what stays when another model is chosen
CHANGES_ALL = frozenset({"config", "file", "assume_standard"})  # a change of these changes every control


# Nothing is stored or changed by a POST, and a token would set a cookie on a public page.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
def calculator(request: HtmxRequest) -> HttpResponse:
    """One model on one deployment, with every answer and its reason."""
    catalogue = configured_catalogue()
    pasted = read_pasted(request) if request.method == "POST" else None
    query = flattened(pasted.query if pasted else request.GET)
    slug = query.get("model", "")
    model = pasted.model if pasted else catalogue.model(slug) if slug else None
    kept = [(name, query[name]) for name in KEPT if query.get(name)]
    context: dict[str, Any] = {
        "kept": kept,
        "kept_query": urlencode(kept),
        "pasted": pasted,
        "model": model,
        "unknown_model": slug if slug and not model and not pasted else "",
        "pasting": pasted is not None or query.get("source") == "config",
        "panel_url": request.path,
        "panel_method": "post" if pasted else "get",
        "q": query.get("q", "")[:100],
    }
    if model is None:
        return _choose(request, catalogue, context)
    context |= _computed(request, catalogue, model, query)
    wanted = export.FORMATS.get(query.get("format", ""))
    if wanted and context["panel"].estimate:
        return wanted(request, model, context)
    form: DeploymentForm = context["panel"].form
    status = 200 if form.is_valid() and context["training"].form.is_valid() else 400
    if wants_partial(request):
        return _partial(request, context, form, status)
    context["found"] = catalogue.search(context["q"]) if context["q"] else ()
    return render(request, "calculator/calculator.html", context, status=status)


def _choose(request: HtmxRequest, catalogue: Catalogue, context: dict[str, Any]) -> HttpResponse:
    """No model yet: the search, or what was wrong with what was sent."""
    context["found"] = () if context["pasting"] and not context["q"] else catalogue.search(context["q"])
    if wants_partial(request) and request.htmx.target == "found":
        return render(request, "calculator/_found.html", context)
    wrong = bool(context["unknown_model"] or (context["pasted"] and context["pasted"].faults))
    template = "calculator/_workbench.html" if wants_partial(request) else "calculator/calculator.html"
    response = render(request, template, context, status=400 if wrong else 200)
    if wants_partial(request):
        response["HX-Retarget"], response["HX-Reswap"] = "#workbench", "outerHTML"
    return response


def _partial(request: HtmxRequest, context: dict[str, Any], form: DeploymentForm, status: int) -> HttpResponse:
    if request.htmx.trigger_name in CHANGES_ALL:
        response = render(request, "calculator/_workbench.html", context, status=status)
        response["HX-Retarget"], response["HX-Reswap"] = "#workbench", "outerHTML"
        return response
    response = render(request, "calculator/_recomputed.html", context, status=status)
    if not context["dragging"] and context["panel_method"] == "get":
        response["HX-Replace-Url"] = f"{request.path}?{context['permalink']}"
    return response


def _computed(request: HtmxRequest, catalogue: Catalogue, model: Model, query: dict[str, str]) -> dict[str, Any]:
    new_engine = request.htmx.trigger_name == "engine"
    drag = dragging(request)
    cards = catalogue.cards()
    form = DeploymentForm(
        model.shape,
        query,
        max_context_tokens=model.max_context_tokens,
        formats_may_default=new_engine,
        cards=cards,
        drafts=model.drafts,
    )
    shown = panel.build(model.shape, form)  # its short list of cards is not shown beside the full one
    training = TrainingForm(query)
    context: dict[str, Any] = {
        "panel": shown,
        "full": True,
        "new_engine": new_engine,
        "dragging": drag,
        "carried": [("model", model.slug)] if model.slug else [],
        "training": _trained(model, training, form),
    }
    context["permalink"] = _permalink(model, form, training)
    if shown.estimate and not drag:
        context["answers"] = _answers(catalogue, model, form, cards)
        context |= growth(model.shape, form)
    return context


def _answers(catalogue: Catalogue, model: Model, form: DeploymentForm, cards: Any) -> Answers:
    slug = form.cleaned_data.get("draft")
    return answer(model, form, cards, catalogue.model(slug) if slug else None)


def _trained(model: Model, form: TrainingForm, workload: DeploymentForm) -> TrainingView:
    return train(model.shape, form, workload.chosen_card if workload.is_valid() else None)


def _permalink(model: Model, form: DeploymentForm, training: TrainingForm) -> str:
    own = {"model": model.slug} if model.slug else {}
    return form.urlencode(**training.asked, **own)
