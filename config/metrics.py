"""`/metrics` for Prometheus, where METRICS=1: how many requests, of which kind, how long they took. Of no one person:
no address, no query, no account, no name of a model.

The processes of a server add up by files in PROMETHEUS_MULTIPROC_DIR, which `config.server` makes anew at each start.
"""

from __future__ import annotations

import os
from time import perf_counter

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from config.health import VIEWS
from config.middleware import View

PATH = "/metrics"
METHODS = {"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"}  # a visitor may write any word
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

REQUESTS = Counter("atlas_requests", "Requests answered.", ("view", "method", "status"))
TIME = Histogram("atlas_request_seconds", "From the first middleware to the answer.", ("view",), buckets=SECONDS)


def metrics(get_response: View) -> View:
    """Stands before all that asks for a host or a cookie, as `config.health` does; leading to https is not counted."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.path_info == PATH:
            return _counted() if request.method in ("GET", "HEAD") else HttpResponseNotAllowed(("GET", "HEAD"))
        began = perf_counter()
        response = get_response(request)
        view = _view(request)
        TIME.labels(view).observe(perf_counter() - began)
        asked = request.META["REQUEST_METHOD"]  # `request.method` is GET for a HEAD by now
        method = asked if asked in METHODS else "other"
        REQUESTS.labels(view, method, response.status_code).inc()
        return response

    return middleware


def _view(request: HttpRequest) -> str:
    """The view's name, of which there are as many as in `urls.py`; "none" where none was asked: the answer was kept, or
    there is no such address."""
    if request.path_info.startswith(f"/{settings.STATIC_URL.strip('/')}/"):
        return "static"
    if request.path_info in VIEWS:
        return "health"
    return (request.resolver_match and request.resolver_match.view_name) or "none"


def _counted() -> HttpResponse:
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    headers = {"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"}
    return HttpResponse(generate_latest(registry), headers=headers)
