"""Whoever sends pages more than PASTE_RATE is told to wait; nobody else is."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db
PAGES = ("/en/calculator/", "/en/check/")


@pytest.fixture(autouse=True)
def two_a_minute(settings: Any) -> None:
    settings.PASTE_RATE = "2/min"


def statuses(paths: tuple[str, ...], **sent: Any) -> list[int]:
    return [Client().post(path, {"config": "{"}, **sent).status_code for path in paths]


def test_pages_count_together() -> None:
    assert statuses((*PAGES, *PAGES)) == [400, 400, 429, 429]


def test_it_is_said_in_the_readers_language_and_for_how_long() -> None:
    statuses(PAGES)
    refused = Client().post("/zh-hans/calculator/", {"config": "{}"})
    assert "<h1>请求过于频繁</h1>" in refused.content.decode()
    assert 0 < int(refused.headers["Retry-After"]) <= 60


def test_other_addresses_and_reading_are_not_counted() -> None:
    assert statuses(PAGES * 2)[-1] == 429
    assert statuses(PAGES, REMOTE_ADDR="192.0.2.7") == [400, 400]
    assert Client().get("/en/calculator/").status_code == 200


def test_who_names_addresses_gets_no_more() -> None:
    told = [statuses(PAGES[:1], headers={"x-forwarded-for": f"192.0.2.{last}"})[0] for last in range(4)]
    assert told == [400, 400, 429, 429]


def test_the_api_and_editors_are_counted_apart() -> None:
    for _time in range(4):
        assert Client().post("/api/v1/memory/", "{}", content_type="application/json").status_code != 429
        assert Client().post("/admin/login/", {"username": "x"}).status_code == 200
    assert statuses(PAGES) == [400, 400]


def tries(accounts: int, **sent: Any) -> list[int]:
    return [
        Client().post("/admin/login/", {"username": f"a{number}", "password": "x"}, **sent).status_code
        for number in range(accounts)
    ]


def test_nobody_tries_password_after_password_for_account_after_account(settings: Any) -> None:
    """Each account has its own count of wrong ones; to check each takes the site a good part of a second."""
    settings.LOGIN_RATE = "3/min"
    assert tries(5) == [200, 200, 200, 429, 429]
    assert tries(1, REMOTE_ADDR="192.0.2.7") == [200]
    assert Client().get("/admin/login/").status_code == 200
    refused = Client().post("/admin/login/", {"username": "a"}, headers={"accept-language": "zh-CN"})
    assert "从这个地址尝试登录的次数过多" in refused.content.decode()
    assert 0 < int(refused.headers["Retry-After"]) <= 60


def test_forms_of_a_strange_page_are_no_tries_of_an_editor(settings: Any) -> None:
    """Whatever page an editor visits may have the browser send forms here, but has no token."""
    settings.LOGIN_RATE = "2/min"
    strange = Client(enforce_csrf_checks=True)
    sent = {"username": "a", "password": "x"}
    assert [strange.post("/admin/login/", sent).status_code for _time in range(4)] == [403] * 4
    assert tries(1) == [200]


def test_a_site_has_such_a_rate_by_itself(settings: Any) -> None:
    """Of a visitor, beside whom an editor who mistypes has room: docs/deployment.md."""
    assert settings.LOGIN_RATE == "30/min"
