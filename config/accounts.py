"""How editors log in: who asks, what a locked login is told, and the second step where the operator wants one."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from django.conf import settings
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest, HttpResponse

from config import errors

HOME = 64  # bits of an IPv6 address that a provider gives to one customer, who changes the rest at will


class AdminWithCodes(AdminConfig):
    default_site = "config.second_step.CodeSite"


def client_address(request: HttpRequest) -> str | None:
    """Who sends a password: by the proxy's word only where there is one, as everywhere (`NINJA_NUM_PROXIES`). The last
    name in the list is the proxy's own; those before it are whatever the visitor wrote. Of IPv6 the customer's net."""
    told = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2] if settings.BEHIND_PROXY else ""
    try:
        address = ip_address((told or request.META.get("REMOTE_ADDR") or "").strip())
    except ValueError:  # a socket in the file system has no address
        return None
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ip_network((address, HOME), strict=False).network_address)


def locked_out(request: HttpRequest, response: HttpResponse | None, credentials: dict[str, Any] | None) -> HttpResponse:
    return errors.too_many_logins(request, int(settings.AXES_COOLOFF_TIME.total_seconds()))
