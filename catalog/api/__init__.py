"""The public, read-only JSON API under /api/v1/. Its OpenAPI description is served beside it."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import ValidationError

from calculator.architecture import ConfigError
from calculator.labels import config_error_texts
from catalog.api import accelerators, benchmarks, fit, memory, models, pasted, ranks
from catalog.api.schemas import problem
from config.visitors import Rate

api = NinjaAPI(
    title="Model Atlas",
    version="1",
    description="Open-weight language models, and the memory it takes to run them. Bytes are whole numbers.",
    docs_url=None,  # its page needs inline scripts, which the content security policy forbids
    throttle=[Rate(settings.API_RATE)],
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
    faults = {str(fault["loc"][-1]): [fault["msg"]] for fault in error.errors}
    return api.create_response(request, problem(faults), status=400)


@api.exception_handler(RequestDataTooBig)
def too_much_sent(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    """A body that is longer than any config.json is not read."""
    return api.create_response(
        request, problem({"config": config_error_texts(ConfigError("", "too_large"))}), status=400
    )
