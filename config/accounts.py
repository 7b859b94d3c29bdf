"""How editors log in: what a locked login is told, and the second step where the operator wants one."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest, HttpResponse

from config import errors


class AdminWithCodes(AdminConfig):
    default_site = "config.second_step.CodeSite"


def locked_out(request: HttpRequest, response: HttpResponse | None, credentials: dict[str, Any] | None) -> HttpResponse:
    return errors.too_many_logins(request, int(settings.AXES_COOLOFF_TIME.total_seconds()))
