"""The result as a file: JSON for programs, Markdown for notes and tickets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from calculator.catalogue import Model
from calculator.deployment_answers import Answers
from calculator.figures import gib, grouped
from calculator.fit_words import FitView
from calculator.panel import Panel
from calculator.serialize import estimate_json, fit_json, speed_json


class Writer(Protocol):
    """Writes what the page shows; `permalink` is the query that shows it again."""

    def __call__(
        self, request: HttpRequest, model: Model, shown: Panel, answers: Answers, permalink: str
    ) -> HttpResponse: ...


def as_json(request: HttpRequest, model: Model, shown: Panel, answers: Answers, permalink: str) -> HttpResponse:
    assert shown.estimate is not None  # noqa: S101 (there are answers only with one)
    result = estimate_json(model.slug or model.name, model.shape, shown.estimate, explain=True)
    result["assumptions"] = list(shown.assumptions)
    if on := answers.on_cards:
        result["fit"] = fit_json(on.fit.fit)
        result["limits"] = {"largest_context": on.largest_context, "most_sequences": on.most_sequences}
        result["formats"] = {each.fit.workload.weight_format: each.fit.state for each in on.formats}
        result["speed"] = speed_json(on.speed.speed) if on.speed else None
    result["commands"] = [
        {"program": each.command.key, "hub": each.hub, "text": each.command.text} for each in answers.commands
    ]
    result["url"] = _address(request, model, permalink)
    return JsonResponse(result, json_dumps_params={"ensure_ascii": False, "indent": 2})


def as_markdown(request: HttpRequest, model: Model, shown: Panel, answers: Answers, permalink: str) -> HttpResponse:
    lines = _lines(model, shown, answers, _address(request, model, permalink))
    return HttpResponse("\n".join(lines) + "\n", content_type="text/markdown; charset=utf-8")


FORMATS: Mapping[str, Writer] = {"json": as_json, "md": as_markdown}


def _address(request: HttpRequest, model: Model, permalink: str) -> str:
    """The page that shows this; empty for a pasted file, which no address holds."""
    return request.build_absolute_uri(f"{request.path}?{permalink}") if model.slug else ""


def _lines(model: Model, shown: Panel, answers: Answers, address: str) -> Iterator[str]:
    assert shown.estimate is not None  # noqa: S101 (the view asks only then)
    workload = shown.estimate.workload
    yield f"# {model.name}"
    yield ""
    yield _(
        "%(engine)s, weights %(weights)s, KV cache %(kv)s, %(context)s tokens of context, %(sequences)s at once"
    ) % {
        "engine": shown.engine_label,
        "weights": workload.weight_format,
        "kv": workload.kv_format,
        "context": grouped(workload.context_tokens),
        "sequences": grouped(workload.sequences),
    }
    yield ""
    yield "| {} | GiB | {} |".format(_("Part"), _("in RAM (GiB)"))
    yield "| --- | ---: | ---: |"
    for part in shown.parts:
        yield f"| {part.label} | {gib(part.bytes)} | {gib(part.host_bytes) if part.host_bytes else ''} |"
    yield f"| **{_('Total')}** | **{gib(shown.estimate.total_bytes)}** | {gib(shown.host_bytes)} |"
    yield ""
    if answers.on_cards:
        yield from _fit_lines(answers.on_cards.fit)
    for note in (*shown.assumptions, *shown.notes):
        yield f"- {note}"
    for each in answers.commands:
        yield from ("", f"{each.label} ({each.hub})" if each.hub else each.label, "", "```", each.command.text, "```")
    if address:
        yield from ("", f"<{address}>")


def _fit_lines(view: FitView) -> Iterator[str]:
    yield f"**{view.label}: {view.state}**"
    yield ""
    yield from (f"- {reason}" for reason in view.reasons)
