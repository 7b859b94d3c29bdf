"""Ways into a language, and from one to the other."""

from __future__ import annotations

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-hans"),
        ("zh-TW", "zh-hans"),
        ("zh", "zh-hans"),
        ("en-GB,en;q=0.9", "en"),
        ("fr", "en"),
        ("en;q=0.3,zh;q=0.9", "zh-hans"),
        ("", "en"),
        ("*", "en"),
        ("a" * 5000, "en"),
    ],
)
def test_the_front_door_follows_the_browser(client: Client, accepted: str, language: str) -> None:
    answer = client.get("/?card=rtx-4090", headers={"accept-language": accepted})
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/{language}/?card=rtx-4090")
    assert "Accept-Language" in answer.headers["Vary"]


@pytest.mark.parametrize(
    ("asked", "leads_to"),
    [
        ("/zh/", "/zh-hans/"),
        ("/zh", "/zh-hans/"),
        ("/cn/", "/zh-hans/"),
        ("/zh-cn/models/", "/zh-hans/models/"),
        ("/zh-CN/models/?q=%E5%8D%83%E9%97%AE&page=2", "/zh-hans/models/?q=%E5%8D%83%E9%97%AE&page=2"),
        ("/zh-Hans/models/", "/zh-hans/models/"),
        ("/zh//elsewhere.example/", "/zh-hans//elsewhere.example/"),
        ("/zh/%E6%A8%A1%E5%9E%8B/", "/zh-hans/%E6%A8%A1%E5%9E%8B/"),
    ],
)
def test_other_spellings_of_chinese_lead_to_ours(client: Client, asked: str, leads_to: str) -> None:
    answer = client.get(asked)
    assert (answer.status_code, answer.headers["Location"]) == (301, leads_to)


def test_an_address_without_language_finds_its_page(client: Client) -> None:
    answer = client.get("/models/?q=qwen", headers={"accept-language": "zh-CN"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/zh-hans/models/?q=qwen")


@pytest.mark.parametrize("path", ["/zh-hans/nothing/here/", "/fr/models/", "/zhou/", "/zh-hansa/"])
def test_what_is_nowhere_is_not_found_and_does_not_loop(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404
