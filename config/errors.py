"""Error pages in the reader's language.

404 and 403 are pages like any other. 400 and 500 are answered when the host, the database or a context processor may be
what is broken, so their template uses none of them.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import loader
from django.utils import translation


def _bare(request: HttpRequest, template: str, status: int) -> HttpResponse:
    # The failure may lie before LocaleMiddleware, and the thread may still have the last request's language.
    with translation.override(translation.get_language_from_request(request, check_path=True)):
        return HttpResponse(loader.get_template(template).render({"status": status}), status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _bare(request, "400.html", 400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "403.html", status=403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _bare(request, "403_csrf.html", 403)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    return _bare(request, "500.html", 500)
