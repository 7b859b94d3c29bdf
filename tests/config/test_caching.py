"""Public answers may be kept by caches; what depends on who asks may not."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

pytestmark = pytest.mark.django_db
SHARED = "public, max-age=0, s-maxage=60"


@pytest.mark.parametrize("path", ["/en/", "/zh-hans/models/", "/en/calculator/", "/api/v1/models/", "/robots.txt"])
def test_public_answers_may_be_kept_and_are_not_sent_twice(path: str) -> None:
    first = Client().get(path)
    assert first.headers["Cache-Control"] == SHARED
    again = Client().get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["Cache-Control"] == SHARED


def test_a_compressed_page_is_known_again() -> None:
    gzip = {"Accept-Encoding": "gzip"}
    tag = Client().get("/en/models/", headers=gzip).headers["ETag"]
    assert Client().get("/en/models/", headers={**gzip, "If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/en/models/", {"HX-Request": "true"}),  # part of a page
        ("/en/models/?sort=luck", {}),  # refused
        ("/en/nothing/", {}),
        ("/", {}),  # depends on the browser's languages
    ],
)
def test_other_answers_are_not_kept(path: str, headers: dict[str, str]) -> None:
    assert "s-maxage" not in Client().get(path, headers=headers).headers.get("Cache-Control", "")


@pytest.mark.parametrize("path", ["/admin/", "/admin/login/", "/admin/jsi18n/", "/healthz"])
def test_the_admin_and_health_are_nobody_else_s(path: str) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("editor"))
    assert "public" not in client.get(path).headers.get("Cache-Control", "")
