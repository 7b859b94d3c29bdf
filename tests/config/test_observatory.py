"""What the MDN HTTP Observatory gives for each kind of answer: 100, and 35 more for what is stricter than it asks."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.signals import request_finished
from django.db import close_old_connections
from django.test import Client, override_settings

from tests.config import observatory

ROOT = Path(__file__).parents[2]
PUBLIC = {"HTTPS": "1", "HSTS_INCLUDE_SUBDOMAINS": "1", "HSTS_PRELOAD": "1", "SECRET_KEY": "s" * 32}
HEADERS = ("SECURE_", "SESSION_COOKIE_", "CSRF_COOKIE_", "CONTENT_SECURITY_POLICY")
BEST = 135
STRICT = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains; preload",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

pytestmark = pytest.mark.django_db


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A client of the site as `HTTPS=1` and the two settings of HSTS make it."""
    for name, value in PUBLIC.items():
        monkeypatch.setenv(name, value)
    asked = runpy.run_path(str(ROOT / "config" / "settings.py"))
    with override_settings(**{name: value for name, value in asked.items() if name.startswith(HEADERS)}):
        yield Client(enforce_csrf_checks=True)


def scored(client: Client, path: str, status: int, method: str = "GET", host: str = "localhost") -> int:
    answer = client.generic(method, path, secure=True, headers={"host": host})
    assert answer.status_code == status
    body = "" if answer.streaming else answer.content.decode()
    # As the client itself does: to close an answer must not close the connection that this test runs in.
    request_finished.disconnect(close_old_connections)
    answer.close()
    request_finished.connect(close_old_connections)
    return observatory.score(dict(answer.headers), answer.cookies, body)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/en/",
        "/zh-hans/models/",
        "/en/calculator/",
        "/robots.txt",
        "/sitemap.xml",
        "/llms.txt",
        "/favicon.ico",
        "/api/v1/models/",
        "/api/v1/openapi.json",
        "/static/css/base.css",
        "/static/icon.svg",
    ],
)
def test_every_kind_of_answer(public: Client, path: str) -> None:
    assert scored(public, path, 302 if path in ("/", "/favicon.ico") else 200) == BEST


def test_the_admin_and_its_cookies(public: Client) -> None:
    assert scored(public, "/admin/login/", 200) == BEST + 5  # for cookies that say SameSite
    public.force_login(User.objects.create_superuser("editor"))
    assert scored(public, "/admin/", 200) >= BEST


@pytest.mark.parametrize(
    ("path", "status", "method", "host"),
    [
        ("/en/nowhere/", 404, "GET", "localhost"),
        ("/static/nowhere.css", 404, "GET", "localhost"),
        ("/api/v1/models/nowhere/", 404, "GET", "localhost"),
        ("/en/", 405, "POST", "localhost"),
        ("/admin/login/", 403, "POST", "localhost"),
        ("/en/", 400, "GET", "elsewhere.example"),
    ],
)
def test_errors(public: Client, path: str, status: int, method: str, host: str) -> None:
    assert scored(public, path, status, method, host) >= BEST


def test_http_leads_to_https_on_the_same_host(public: Client) -> None:
    """redirection.js: 0 for that, less for all else."""
    answer = public.get("/en/", headers={"host": "localhost"})
    assert (answer.status_code, answer.headers["Location"]) == (301, "https://localhost/en/")


@pytest.mark.parametrize(
    ("changed", "points"),
    [
        ({}, 135),
        ({"Strict-Transport-Security": "max-age=31536000"}, 130),
        ({"Referrer-Policy": "unsafe-url"}, 130),
        ({"Cross-Origin-Resource-Policy": "cross-origin"}, 125),
        ({"Content-Security-Policy": "default-src 'none'", "X-Frame-Options": "DENY"}, 130),
        ({"Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'"}, 130),
    ],
)
def test_the_rules_themselves(changed: dict[str, str], points: int) -> None:
    assert observatory.score(STRICT | changed, SimpleCookie()) == points


@pytest.mark.parametrize(
    ("changed", "cookie", "body"),
    [
        ({"Content-Security-Policy": ""}, "", ""),
        ({"Content-Security-Policy": "default-src 'none'"}, "", ""),
        ({"Content-Security-Policy": "default-src 'none'; script-src 'unsafe-inline'"}, "", ""),
        ({"Strict-Transport-Security": "max-age=60; includeSubDomains; preload"}, "", ""),
        ({"X-Content-Type-Options": ""}, "", ""),
        ({}, "seen=1; SameSite=Lax", ""),
        ({}, "sessionid=1; Secure; SameSite=Lax", ""),
        ({}, "", '<script src="//cdn.example/a.js"></script>'),
    ],
)
def test_what_breaks_a_rule(changed: dict[str, str], cookie: str, body: str) -> None:
    with pytest.raises(observatory.BrokenRuleError):
        observatory.score(STRICT | changed, SimpleCookie(cookie), body)
