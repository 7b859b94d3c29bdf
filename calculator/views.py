"""The full calculator: any model of the catalogue, or any config.json."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from calculator import export
from calculator.asked import Asked, asked_of
from calculator.catalogue import Catalogue, configured_catalogue
from calculator.htmx import HtmxRequest, wants_partial
from calculator.workbench import Workbench, workbench

# A change of these changes every control.
CHANGES_ALL = frozenset({"config", "file", "quantization", "assume_standard", "draft_config"})


# Nothing is stored or changed by a POST, and a token would set a cookie on a public page.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
def calculator(request: HtmxRequest) -> HttpResponse:
    """One model on one deployment, with every answer and its reason."""
    catalogue = configured_catalogue()
    asked = asked_of(request, catalogue)
    if asked.opened:
        return _open(request, f"{request.path}?{asked.opened}")
    if asked.model is None:
        return _choose(request, catalogue, asked)
    shown = workbench(request, catalogue, asked.model, asked.query)
    write = export.FORMATS.get(asked.query.get("format", ""))
    if write and shown.answers:
        return write(request, shown.model, shown.panel, shown.answers, shown.permalink)
    if wants_partial(request):
        return _partial(request, asked, shown)
    found = catalogue.search(asked.q) if asked.q else ()
    context = vars(asked) | vars(shown) | {"found": found}
    return render(request, "calculator/calculator.html", context, status=_status(shown))


def _open(request: HtmxRequest, address: str) -> HttpResponse:
    """The model that was named, at an address of its own."""
    if not request.htmx:
        return redirect(address)
    response = HttpResponse()
    response["HX-Redirect"] = address
    return response


def _choose(request: HtmxRequest, catalogue: Catalogue, asked: Asked) -> HttpResponse:
    """No model yet: the search, or what was wrong with what was sent."""
    found = () if asked.pasting and not asked.q else catalogue.search(asked.q)
    context = vars(asked) | {"found": found}
    if not wants_partial(request):
        return render(request, "calculator/calculator.html", context, status=400 if asked.wrong else 200)
    if request.htmx.target == "found":
        return render(request, "calculator/_found.html", context)
    return _whole_workbench(render(request, "calculator/_workbench.html", context, status=400 if asked.wrong else 200))


def _partial(request: HtmxRequest, asked: Asked, shown: Workbench) -> HttpResponse:
    context = vars(asked) | vars(shown)
    if request.htmx.trigger_name in CHANGES_ALL:
        return _whole_workbench(render(request, "calculator/_workbench.html", context, status=_status(shown)))
    response = render(request, "calculator/_recomputed.html", context, status=_status(shown))
    if asked.panel_method == "get":
        response["HX-Replace-Url"] = f"{request.path}?{shown.permalink}"
    return response


def _whole_workbench(response: HttpResponse) -> HttpResponse:
    response["HX-Retarget"], response["HX-Reswap"] = "#workbench", "outerHTML"
    return response


def _status(shown: Workbench) -> int:
    return 200 if shown.valid else 400
