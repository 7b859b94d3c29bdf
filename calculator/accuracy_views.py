"""The accuracy page: every reference case, predicted and true."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.vary import vary_on_headers

from calculator import labels
from calculator.accuracy import BeingComputed, Case, Line, cases, summary
from calculator.accuracy.fitted import lines as constant_lines
from calculator.accuracy.verdicts import Verdict, verdicts
from calculator.accuracy.worst import Miss, worst
from calculator.accuracy_chart import Dots, Plot, plot
from calculator.fit_words import card_label
from calculator.htmx import HtmxRequest, wants_partial
from calculator.labels.accuracy import CONSTANTS, FORMULAS, QUANTITIES, REMARKS
from calculator.labels.names import ENGINES, engine_name
from calculator.paging import page_of

CASES_A_PAGE = 50
WORST = 10


@dataclass(frozen=True, slots=True)
class CaseGroup:
    """One engine's answers for one quantity: our line, then those of the formulas in common use."""

    engine: str
    quantity: str
    engine_name: str
    name: str | Promise
    lines: Sequence[tuple[str | Promise, Line]]


@cache
def _lines() -> tuple[Line, ...]:
    return summary(cases())


def _groups(lines: Iterable[Line]) -> list[CaseGroup]:
    grouped: dict[tuple[str, str], list[tuple[str | Promise, Line]]] = {}
    for line in lines:
        grouped.setdefault((line.engine, line.quantity), []).append((FORMULAS[line.formula], line))
    return [
        CaseGroup(engine, quantity, ENGINES.get(engine, engine), QUANTITIES[quantity], rows)
        for (engine, quantity), rows in grouped.items()
    ]


def _later(request: HtmxRequest) -> HttpResponse:
    """After an update, while a process works out all cases: nobody else does, and no thread is held for it."""
    words = {
        "heading": _("In a minute"),
        "explanation": _("The site was updated, and every case is being computed anew. Please load this page again."),
    }
    answer = render(request, "error.html", {"status": 503, **words}, status=503)
    answer.headers["Retry-After"] = "30"
    return answer


@vary_on_headers("HX-Request")
def accuracy(request: HtmxRequest) -> HttpResponse:
    """Every reference case, predicted and true; the summary by engine and quantity, and the cases of the chosen one."""
    try:
        cases(wait=False)
    except BeingComputed:
        return _later(request)
    groups = _groups(_lines())
    wanted = (request.GET.get("engine", groups[0].engine), request.GET.get("quantity", groups[0].quantity))
    chosen = next((group for group in groups if (group.engine, group.quantity) == wanted), None)
    if chosen is None:
        raise Http404
    found = sorted(
        (case for case in cases() if (case.engine, case.quantity) == wanted), key=lambda case: -abs(case.error)
    )
    paged = page_of(request.GET.get("page"), found, CASES_A_PAGE)
    return render(
        request,
        "calculator/_accuracy_cases.html" if wants_partial(request) else "calculator/accuracy.html",
        {
            **paged,
            "groups": groups,
            "chosen": chosen,
            "cases": [(case, _configuration(case), REMARKS.get(case.remark, "")) for case in paged["page"]],
            "plot": _plot(*wanted),
            "said": [_said(verdict) for verdict in verdicts()],
            "agreed": sum(verdict.agrees for verdict in verdicts()),
            "constants": [(CONSTANTS[line.constant.key], line) for line in constant_lines()],
            "worst": [_miss(*miss) for miss in _worst()],
            "in_bytes": chosen.quantity not in ("parameters", "kv_tokens", "pool_tokens"),
        },
    )


@cache
def _worst() -> list[Miss]:
    return worst(cases(), WORST)


def _miss(case: Case, cause: str) -> dict[str, object]:
    return {
        "case": case,
        "engine_name": engine_name(case.engine),
        "quantity": QUANTITIES[case.quantity],
        "configuration": _configuration(case),
        "cause": REMARKS.get(cause, ""),
    }


def _said(verdict: Verdict) -> dict[str, object]:
    badge, state = labels.STATES[verdict.state]
    return {
        "verdict": verdict,
        "engine_name": engine_name(verdict.engine),
        "card": card_label(verdict.card, verdict.count),
        "configuration": _configuration(verdict),
        "badge": badge,
        "state": state,
        "remark": REMARKS.get(verdict.remark, ""),
    }


@cache
def _plot(engine: str, quantity: str) -> tuple[Plot, list[tuple[Dots, str | Promise]]] | None:
    """The plot, and its series by name."""
    found = [case for case in cases() if (case.engine, case.quantity) == (engine, quantity)]
    drawn = plot(found, sorted({formula for case in found for formula in case.naive}))
    return (drawn, [(dots, FORMULAS[dots.formula]) for dots in drawn.dots]) if drawn else None


def _configuration(of: Case | Verdict) -> str:
    return " ".join(f"{name}={value}" for name, value in of.configuration.items())
