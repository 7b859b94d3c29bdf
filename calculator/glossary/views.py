from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from calculator.glossary import GROUPS


def glossary(request: HttpRequest) -> HttpResponse:
    """Every term with an anchor, which the labels of other pages link to."""
    return render(request, "calculator/glossary.html", {"groups": GROUPS})
