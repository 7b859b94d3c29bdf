from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from catalog.api.reference import operations, problem_fields


def reference(request: HttpRequest) -> HttpResponse:
    """The API, operation by operation, as its own description tells it."""
    told = {"operations": operations(), "problem": problem_fields(), "origin": request.build_absolute_uri("/")[:-1]}
    return render(request, "catalog/api.html", told)
