from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from catalog.bridge.my_hardware import MyHardware
from catalog.bridge.rows import models_to_place
from catalog.bridge.shapes import max_context_tokens, shape_of
from catalog.comparison.choice import MOST, choose
from catalog.comparison.entries import facts, specifications
from catalog.comparison.examples import examples
from catalog.comparison.forms import FOUND, CompareForm, FindForm
from catalog.comparison.needs import memory
from catalog.comparison.results import ranks, scores
from catalog.models import LanguageModel
from catalog.search import BestFirst

LOOKED_AT = 40  # of what a search finds


def compare(request: HttpRequest) -> HttpResponse:
    """Up to four models side by side, all of it in the address. A wrong request says so (400) and shows the rest."""
    chosen = choose(request.GET.getlist("m"))
    models = chosen.models
    shapes = {model: shape for model in models if (shape := shape_of(model))}
    longest = [tokens for model, shape in shapes.items() if (tokens := max_context_tokens(model, shape))]
    form = CompareForm(request.GET.dict(), list(shapes.values()), min(longest, default=None))
    valid = form.is_valid()
    mine = MyHardware.from_query(request.GET)
    finding = FindForm(request.GET.dict(), mine)
    text = finding.text
    found = _found(text, models)[: LOOKED_AT if finding.only else FOUND] if finding.is_valid() else []
    found_fits = mine.fits_asked(models_to_place(model.pk for model in found), form.answers) if valid else {}
    context: dict[str, Any] = {
        "form": form,
        "problems": chosen.problems,
        "mine": mine,
        "columns": [(model, _address([other for other in models if other != model], form, mine)) for model in models],
        "slugs": [model.slug for model in models],
        "most": MOST,
        "full": len(models) >= MOST,
        "q": text,
        "finding": finding,
        "found": [(model, _address([*models, model], form, mine)) for model in finding.kept(found, found_fits)],
        "found_fits": found_fits,
    }
    if not models and not text:
        context["examples"] = list(examples())
    if models:
        context["sections"] = [facts(models), *specifications(models)]
        context["ranks"] = ranks(models)
        context["scores"], context["alone"] = scores(models)
        if valid:
            context["memory"] = memory(models, form)
            context["fits"] = mine.fits_asked(models, form.answers)
    status = 200 if valid and mine.valid and finding.is_valid() and not chosen.problems else 400
    return render(request, "catalog/compare.html", context, status=status)


def _found(text: str, chosen: tuple[LanguageModel, ...]) -> Sequence[LanguageModel]:
    if not text:
        return []
    rows = LanguageModel.objects.published().exclude(pk__in=[model.pk for model in chosen])
    return BestFirst(rows.for_list(), "model", text)


def _address(models: list[LanguageModel] | tuple[LanguageModel, ...], form: CompareForm, mine: MyHardware) -> str:
    address = "?" + urlencode([*(("m", model.slug) for model in models), *form.answers.items()])
    return f"{address}&{mine.query}" if mine.query else address
