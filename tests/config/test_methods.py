"""What is sent by a method that an address does not take: 405 with those it takes, and nothing about forms."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

READING = "GET, HEAD"
POSTED = ("/en/calculator/", "/en/check/")
PAGES = ("/en/", "/zh-hans/models/", "/en/feeds/models.atom", "/robots.txt", "/sitemap.xml", "/favicon.ico", "/")


@pytest.fixture
def strict() -> Client:
    return Client(enforce_csrf_checks=True, headers={"accept-language": "zh-CN"})


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "BREW"])
@pytest.mark.parametrize("path", PAGES)
def test_pages_are_read_only(strict: Client, method: str, path: str) -> None:
    answer = strict.generic(method, path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, READING)
    heading = "Method not allowed" if path.startswith("/en/") else "不支持这种请求方法"
    assert f"<h1>{heading}</h1>" in answer.content.decode()
    assert not answer.cookies


@pytest.mark.parametrize("path", POSTED)
def test_what_takes_a_paste_takes_that_without_a_token(strict: Client, path: str) -> None:
    assert strict.delete(path).headers["Allow"] == "GET, HEAD, POST"
    assert strict.delete(path).status_code == 405


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE"])
def test_the_admin_is_read_and_posted_to(strict: Client, method: str) -> None:
    answer = strict.generic(method, "/admin/login/")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, POST")


def test_a_form_without_a_token_is_still_refused(strict: Client) -> None:
    assert strict.post("/admin/login/", {"username": "x"}).status_code == 403


def test_the_api_says_it_in_json(strict: Client) -> None:
    answer = strict.delete("/api/v1/models/")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert answer.json() == {"detail": "这个地址不接受这类请求。", "errors": {}}


def every_view(resolver: URLResolver) -> list[URLPattern]:
    return [
        pattern
        for each in resolver.url_patterns
        for pattern in (every_view(each) if isinstance(each, URLResolver) else [each])
    ]


def test_only_these_public_views_take_what_has_no_token() -> None:
    """Who is exempt from tokens must say its methods; the API's operations do."""
    exempt = {
        f"{each.callback.__module__}.{each.callback.__name__}"
        for each in every_view(get_resolver())
        if getattr(each.callback, "csrf_exempt", False) and not each.callback.__module__.startswith("ninja")
    }
    assert exempt == {"calculator.views.calculator", "calculator.check_view.check_log"}


API = ("/api/v1/models/", "/api/v1/models/nobody/", "/api/v1/openapi.json")


@pytest.mark.django_db
@pytest.mark.parametrize("path", [*PAGES, *API, "/en/nowhere/"])
def test_head_is_get_without_a_body(strict: Client, path: str) -> None:
    """RFC 9110, section 9.3.2; the second of each is one that was kept."""
    for _time in range(2):
        asked, head = strict.get(path), strict.head(path)
        assert (head.status_code, head.content) == (asked.status_code, b"")
        expected = dict(asked.headers) | {"Content-Length": str(len(asked.content))}
        told = {each: value for each, value in head.headers.items() if each != "X-Request-ID"}
        assert told == {each: value for each, value in expected.items() if each != "X-Request-ID"}
