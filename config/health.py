"""Answers for whatever watches the process. No host, no session, no language, no template."""

from __future__ import annotations

from django.core.cache import cache
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.middleware import View


@never_cache
@require_safe
def alive(request: HttpRequest) -> JsonResponse:
    """The process answers. Nothing else is asked, so a slow database never gets a live process killed."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """The site can serve: the database answers and has every migration. Without Redis it can, so that is only said."""
    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except (DatabaseError, InterfaceError):
        return JsonResponse({"status": "unavailable", "reason": "database"}, status=503)
    if pending:
        return JsonResponse({"status": "unavailable", "reason": "migrations"}, status=503)
    return JsonResponse({"status": "ok"} | _redis())


def _redis() -> dict[str, str]:
    answers = getattr(cache, "answers", None)  # only what has Redis behind it can say
    return {"redis": "ok" if answers() else "unavailable"} if answers else {}


VIEWS = {"/healthz": alive, "/readyz": ready}


def health(get_response: View) -> View:
    """Answer these two before anything else is asked: whoever watches asks by the machine's address, over HTTP."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        return VIEWS.get(request.path_info, get_response)(request)

    return middleware
