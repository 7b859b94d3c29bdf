"""The accuracy page: every reference case, predicted and true."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from django.core.paginator import InvalidPage, Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.views.decorators.vary import vary_on_headers

from calculator.accuracy import Case, Line, cases, summary
from calculator.htmx import HtmxRequest, wants_partial
from calculator.labels.accuracy import FORMULAS, QUANTITIES, REMARKS
from calculator.labels.names import ENGINES

CASES_A_PAGE = 50


@dataclass(frozen=True, slots=True)
class Group:
    """One engine's answers for one quantity: our line, then those of the formulas in common use."""

    engine: str
    quantity: str
    engine_name: str
    name: str | Promise
    lines: Sequence[tuple[str | Promise, Line]]


@cache
def _lines() -> tuple[Line, ...]:
    return summary(cases())


def _groups(lines: Iterable[Line]) -> list[Group]:
    grouped: dict[tuple[str, str], list[tuple[str | Promise, Line]]] = {}
    for line in lines:
        grouped.setdefault((line.engine, line.quantity), []).append((FORMULAS[line.formula], line))
    return [
        Group(engine, quantity, ENGINES.get(engine, engine), QUANTITIES[quantity], rows)
        for (engine, quantity), rows in grouped.items()
    ]


@vary_on_headers("HX-Request")
def accuracy(request: HtmxRequest) -> HttpResponse:
    """Every reference case, predicted and true; the summary by engine and quantity, and the cases of the chosen one."""
    groups = _groups(_lines())
    wanted = (request.GET.get("engine", groups[0].engine), request.GET.get("quantity", groups[0].quantity))
    chosen = next((group for group in groups if (group.engine, group.quantity) == wanted), None)
    if chosen is None:
        raise Http404
    found = sorted(
        (case for case in cases() if (case.engine, case.quantity) == wanted), key=lambda case: -abs(case.error)
    )
    try:
        page = Paginator(found, CASES_A_PAGE).page(request.GET.get("page") or 1)
    except InvalidPage as error:
        raise Http404 from error
    return render(
        request,
        "calculator/_accuracy_cases.html" if wants_partial(request) else "calculator/accuracy.html",
        {
            "groups": groups,
            "chosen": chosen,
            "page": page,
            "pages": page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1),
            "cases": [(case, _configuration(case), REMARKS.get(case.remark, "")) for case in page.object_list],
            "in_bytes": chosen.quantity not in ("parameters", "kv_tokens"),
        },
    )


def _configuration(case: Case) -> str:
    return " ".join(f"{name}={value}" for name, value in case.configuration.items())
