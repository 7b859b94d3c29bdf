"""What the API refuses is said in one form and in the reader's language."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from ninja.parser import Parser

from catalog.api import api

pytestmark = pytest.mark.django_db
CHINESE = {"Accept-Language": "zh-CN"}


@pytest.mark.parametrize(
    ("body", "errors"),
    [("{}", {"config": ["这个字段是必填项。"]}), ("[]", {"config": ["这个字段是必填项。"]}), ("{", {})],
)
def test_a_body_that_cannot_be_used(body: str, errors: dict[str, list[str]]) -> None:
    answer = Client().post("/api/v1/memory/", body, content_type="application/json", headers=CHINESE)
    assert (answer.status_code, answer.json()) == (400, {"detail": "请求无效。", "errors": errors})


@pytest.mark.parametrize(
    "value",
    ["[" + "[]," * 200_000 + "[]]", "[" * 40, '"' + "a" * 4_000_000 + '"', "9" * 50],
    ids=["wide", "deep", "long", "digits"],
)
def test_a_body_beyond_the_bounds_of_a_config_is_read_by_nobody(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As JSON alone 8 MB of brackets take seconds and hundreds of MB, whatever is said of them then."""

    def read(_parser: Parser, _request: Any) -> None:
        raise AssertionError("read as JSON alone")

    monkeypatch.setattr(Parser, "parse_body", read)
    answer = Client().post("/api/v1/memory/", f'{{"config": {{"a": {value}}}}}', content_type="application/json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["config"])


def test_a_number_of_more_digits_than_python_reads() -> None:
    answer = Client().get(f"/api/v1/models/?limit={'9' * 5000}", headers=CHINESE)
    assert (answer.status_code, answer.json()["errors"]) == (400, {"limit": ["请输入整数。"]})


def test_who_asks_too_often_is_told_for_how_long(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(api.throttle, list)
    monkeypatch.setattr(api.throttle[0], "rate", "1/min")
    asked = [Client().get(f"/api/v1/models/?n={number}", headers=CHINESE) for number in range(2)]
    assert [answer.status_code for answer in asked] == [200, 429]
    assert asked[1].json() == {"detail": "这个地址发送的请求过多。请一分钟后重试。", "errors": {}}
    assert 0 < int(asked[1].headers["Retry-After"]) <= 60


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("", "No ranks have been computed yet."),
        ("?board=coding", "No ranks have been computed yet."),
        ("?board=", "“” is not in the catalogue."),
        ("?board=nope", "“nope” is not in the catalogue."),
    ],
)
def test_a_board_without_ranks_is_no_unknown_board(query: str, detail: str) -> None:
    answer: Any = Client().get(f"/api/v1/ranks/{query}")
    assert (answer.status_code, answer.json()["detail"]) == (404, detail)
