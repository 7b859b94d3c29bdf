"""What the MDN HTTP Observatory gives for each kind of answer: 100, and 35 more for what is stricter than it asks."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as settings_of_django
from django.contrib.auth.models import User
from django.core.signals import request_finished
from django.db import OperationalError, close_old_connections
from django.http import HttpResponse
from django.test import Client, override_settings

from config.editor_messages import EditorMessages
from tests.config import observatory

ROOT = Path(__file__).parents[2]
PUBLIC = {"HTTPS": "1", "HSTS_INCLUDE_SUBDOMAINS": "1", "HSTS_PRELOAD": "1", "SECRET_KEY": "s" * 32}
HEADERS = (
    "SECURE_",
    "SESSION_COOKIE_",
    "CSRF_COOKIE_",
    "LANGUAGE_COOKIE_",
    "MESSAGES_COOKIE_",
    "CONTENT_SECURITY_POLICY",
)
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


def scored(client: Client, path: str, status: int, method: str = "GET", host: str = "localhost", **headers: str) -> int:
    answer = asked(client, path, method, host=host, **headers)
    assert answer.status_code == status
    body = "" if answer.streaming else answer.content.decode()
    return observatory.score(dict(answer.headers), answer.cookies, body)


def asked(client: Client, path: str, method: str = "GET", **headers: str) -> Any:
    answer = client.generic(method, path, secure=True, headers=headers)
    # As the client itself does: to close an answer must not close the connection that this test runs in.
    request_finished.disconnect(close_old_connections)
    answer.close()
    request_finished.connect(close_old_connections)
    return answer


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
        "/healthz",
        "/readyz",
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
        ("/healthz", 405, "POST", "localhost"),
        ("/static/icon.svg", 405, "POST", "localhost"),
    ],
)
def test_errors(public: Client, path: str, status: int, method: str, host: str) -> None:
    assert scored(public, path, status, method, host) >= BEST


@pytest.mark.parametrize("path", ["/en/", "/api/v1/models/", "/static/icon.svg"])
def test_what_a_browser_has_already(public: Client, path: str) -> None:
    """A browser that is told 304 takes what it says beside what it kept."""
    first = asked(public, path, host="localhost")
    told = {"if-none-match": first.headers.get("ETag", ""), "if-modified-since": first.headers.get("Last-Modified", "")}
    assert scored(public, path, 304, **{name: value for name, value in told.items() if value}) == BEST


def test_a_part_that_a_file_does_not_have(public: Client) -> None:
    assert scored(public, "/static/icon.svg", 416, range="bytes=900000-") == BEST


def test_what_is_too_much(public: Client, settings: Any) -> None:
    assert scored(public, "/admin/login/", 413, "POST", **{"content-length": str(2**30)}) == BEST
    settings.PASTE_RATE = "1/min"
    assert [scored(public, "/en/check/", status, "POST") for status in (400, 429)] == [BEST, BEST]


def test_a_database_that_is_gone(public: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_arguments: Any, **_options: Any) -> None:
        raise OperationalError

    public.raise_request_exception = False
    monkeypatch.setattr("catalog.home.views.render", gone)
    assert scored(public, "/en/", 503) == BEST


def test_the_language_of_the_admin_is_a_cookie_as_strict_as_others(public: Client) -> None:
    public.get("/admin/login/", secure=True)
    token = public.cookies[settings_of_django.CSRF_COOKIE_NAME].value
    sent = {"language": "zh-hans", "next": "/admin/login/", "csrfmiddlewaretoken": token}
    answer = public.post("/admin/language/", sent, secure=True, headers={"referer": "https://testserver/admin/login/"})
    assert answer.status_code == 302
    assert observatory.score(dict(answer.headers), answer.cookies) == BEST + 5
    (cookie,) = (each for name, each in answer.cookies.items() if "language" in name)
    assert (cookie.key, cookie["path"], cookie["httponly"]) == ("__Secure-admin_language", "/admin/", True)


def test_what_an_editor_is_told_is_a_cookie_as_strict_as_that_of_the_session(public: Client, rf: Any) -> None:
    messages, answer = EditorMessages(rf.get("/admin/", secure=True)), HttpResponse()
    messages.add(20, "Saved.")
    assert messages.update(answer) == []
    (cookie,) = answer.cookies.values()
    assert cookie.key == "__Host-messages"
    assert {name: cookie[name] for name in ("path", "domain", "secure", "httponly", "samesite", "max-age")} == {
        "path": "/",
        "domain": "",
        "secure": True,
        "httponly": True,
        "samesite": "Lax",
        "max-age": "",
    }


def test_the_language_of_the_admin_is_switched_whatever_cookie_was_there_before(public: Client) -> None:
    """It was `django_language`, for all paths and for a year; browsers send the narrower path first, and of
    two of one name the last is read (RFC 6265, 5.4)."""
    sent = {"language": "zh-hans", "next": "/admin/login/"}
    client = Client(headers={"cookie": "django_language=en; __Secure-django_language=en"})
    assert client.get("/admin/login/", secure=True).headers["Content-Language"] == "en"
    chosen = client.post("/admin/language/", sent, secure=True).cookies[settings_of_django.LANGUAGE_COOKIE_NAME]
    both = f"{chosen.key}={chosen.value}; django_language=en; __Secure-django_language=en"
    seen = Client().get("/admin/login/", secure=True, headers={"cookie": both, "accept-language": "en"})
    assert seen.headers["Content-Language"] == "zh-hans"


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
