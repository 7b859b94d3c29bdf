"""Who asks, and how often one address may: for passwords, for what is sent to pages, and for the API."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network
from threading import local

from django.conf import settings
from django.http import HttpRequest
from ninja.throttling import AnonRateThrottle, BaseThrottle

HOME = 64  # bits of an IPv6 address that a provider gives to one customer, who changes the rest at will


def client_address(request: HttpRequest) -> str | None:
    """By the proxy's word only where there is one (`BEHIND_PROXY`). The last name in the list is the proxy's own; those
    before it are whatever the visitor wrote. Of IPv6 the customer's net."""
    told = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2] if settings.BEHIND_PROXY else ""
    try:
        address = ip_address(_without_port((told or request.META.get("REMOTE_ADDR") or "").strip()))
    except ValueError:  # a socket in the file system has no address
        return None
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ip_network((address, HOME), strict=False).network_address)


def _without_port(written: str) -> str:
    """Some proxies write `192.0.2.1:4711` or `[2001:db8::1]:4711`."""
    if written.startswith("["):
        return written[1:].partition("]")[0]
    host, colon, port = written.partition(":")
    return host if colon and port.isdecimal() else written


class Rate(BaseThrottle):
    """So many requests of one visitor; what has the same `scope` is counted together.

    Ninja's own takes each of the 2**64 addresses of an IPv6 customer for another visitor, and keeps what it counted
    where another thread may overwrite it: one visitor would be refused for what another asked.
    """

    def __init__(self, rate: str, scope: str = "anon") -> None:
        self.rate, self.scope, self._asked = rate, scope, local()

    def allow_request(self, request: HttpRequest) -> bool:
        self._asked.count = count = _Count(self.rate)
        count.scope = self.scope
        return count.allow_request(request)

    def wait(self) -> float | None:
        """Seconds until the visitor who was just refused is answered again."""
        count: _Count = self._asked.count
        return count.wait()


class _Count(AnonRateThrottle):
    """For one request."""

    def get_ident(self, request: HttpRequest) -> str | None:
        return client_address(request)
