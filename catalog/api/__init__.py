"""The public, read-only JSON API under /api/v1/. Its OpenAPI description is served beside it."""

from __future__ import annotations

from http import HTTPStatus
from math import ceil
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from ninja import NinjaAPI
from ninja.errors import HttpError, Throttled, ValidationError
from ninja.openapi.schema import OpenAPISchema

from calculator.architecture import ConfigError
from calculator.labels import config_error_texts
from catalog.api import accelerators, benchmarks, fit, memory, models, pasted, ranks
from catalog.api.bodies import Bodies
from catalog.api.questions import described
from catalog.api.schemas import problem
from catalog.ranking.scope import OVERALL
from catalog.standings import BOARDS
from catalog.visitors import Rate


class Described(NinjaAPI):
    """Its description also says what every parameter means and why a request is refused, and names what any question
    may be answered with before a view sees it."""

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        told = super().get_openapi_schema(**options)
        for operations in told["paths"].values():
            for operation in operations.values():
                for parameter in operation.get("parameters", ()):
                    parameter.update(described(parameter["name"]))
                for status, text in REFUSED.items():
                    if status in operation["responses"]:
                        operation["responses"][status]["description"] = text
                operation["responses"] |= BEFORE_A_VIEW
        return told


REFUSED = {
    HTTPStatus.BAD_REQUEST: gettext_noop("A value is not valid: `errors` says which, and why."),
    HTTPStatus.NOT_FOUND: gettext_noop("There is no such entry, or it lacks what the question is about."),
}
BEFORE_A_VIEW = {
    HTTPStatus.REQUEST_URI_TOO_LONG: {
        "description": gettext_noop("The address is longer than the server reads: it says so as plain text."),
        "content": {"text/plain": {}},
    },
    HTTPStatus.TOO_MANY_REQUESTS: {
        "description": gettext_noop(
            "More requests in a minute than one address may send, or more processor time than answers to it may take."
        ),
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    },
}
"""Responses of every operation: of the server itself (gunicorn's `limit_request_line`), and beyond `API_RATE` or
`WORK_SECONDS`."""

api = Described(
    title="Model Atlas",
    version="1",
    description=gettext_noop(
        "Open-weight language models, and the memory it takes to run them. Bytes are whole numbers."
    ),
    docs_url=None,  # Ninja's page needs inline scripts, which the content security policy forbids: `reference.py`
    throttle=[Rate(settings.API_RATE)],
    parser=Bodies(),
)
api.add_router("/models/", models.router)
api.add_router("/models/", memory.router)
api.add_router("/accelerators/", accelerators.router)
api.add_router("/models/", fit.models_router)
api.add_router("/accelerators/", fit.accelerators_router)
api.add_router("/", pasted.router)
api.add_router("/benchmarks/", benchmarks.router)
api.add_router("/ranks/", ranks.router)


@api.exception_handler(ValidationError)
def invalid_request(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """A parameter of the wrong type is a 400 like every other bad input, with the parameter's name."""
    faults = {str(fault["loc"][-1]): [_sentence(fault)] for fault in error.errors}
    return api.create_response(request, problem(faults), status=400)


def _sentence(fault: dict[str, Any]) -> str:
    """What is wrong with a number, in the reader's language; other faults in pydantic's words."""
    bounds = fault.get("ctx", {})
    match fault["type"]:
        case "greater_than_equal":
            return _("Ensure this value is greater than or equal to %(limit_value)s.") % {"limit_value": bounds["ge"]}
        case "less_than_equal":
            return _("Ensure this value is less than or equal to %(limit_value)s.") % {"limit_value": bounds["le"]}
        case "int_parsing" | "int_parsing_size":
            return _("Enter a whole number.")
        case "missing":
            return _("This field is required.")
    return str(fault["msg"])


@api.exception_handler(Http404)
def not_in_the_catalogue(request: HttpRequest, error: Http404) -> HttpResponse:
    """An entry that does not exist is named, as a card of a question is."""
    found = getattr(request, "resolver_match", None)
    named = (found.kwargs.get("slug") if found else None) or request.GET.get("board", OVERALL.key)
    detail = _("“%(slug)s” is not in the catalogue.") % {"slug": named}
    if named in BOARDS:
        detail = _("No ranks have been computed yet.")
    return api.create_response(request, {"detail": detail, "errors": {}}, status=404)


@api.exception_handler(HttpError)
def unreadable_request(request: HttpRequest, error: HttpError) -> HttpResponse:
    """A 400 is of a body that is no JSON, in Ninja's words; what is refused here says why in the reader's."""
    told = problem({}) if error.status_code == HTTPStatus.BAD_REQUEST else {"detail": str(error), "errors": {}}
    return api.create_response(request, told, status=error.status_code)


@api.exception_handler(Throttled)
def too_many_requests(request: HttpRequest, error: Throttled) -> HttpResponse:
    """Beyond `API_RATE`."""
    detail = _("This address has sent too many requests. Please try again in a minute.")
    answer = api.create_response(request, {"detail": detail, "errors": {}}, status=error.status_code)
    answer.headers["Retry-After"] = str(ceil(error.wait or 1))
    return answer


@api.exception_handler(RequestDataTooBig)
def too_much_sent(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    """A body that is longer than any config.json is not read."""
    return api.create_response(
        request, problem({"config": config_error_texts(ConfigError("", "too_large"))}), status=400
    )
