"""Public answers in Brotli where a browser takes it; what depends on a cookie only as Django does it (BREACH)."""

from __future__ import annotations

import brotli
import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from config.compression import brotli_pages, encoding

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("accepted", "best"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("br;q=0.5, gzip;q=1.0", "br"),
        ("gzip, br;q=0", "gzip"),
        ("gzip;q=0, br; q=0.0", ""),
        ("deflate", ""),
        ("", ""),
    ],
)
def test_the_best_that_a_browser_takes(accepted: str, best: str) -> None:
    assert encoding(RequestFactory().get("/", headers={"Accept-Encoding": accepted})) == best


@pytest.mark.parametrize("accepted", ["br", "gzip", ""])
def test_a_page_is_the_same_in_every_encoding(accepted: str) -> None:
    plain = Client().get("/en/").content
    answer = Client().get("/en/", headers={"Accept-Encoding": accepted})
    again = Client().get("/en/", headers={"Accept-Encoding": accepted})
    assert answer.headers.get("Content-Encoding", "") == accepted == again.headers.get("Content-Encoding", "")
    assert "Accept-Encoding" in answer.headers["Vary"]
    if accepted == "br":
        assert brotli.decompress(answer.content) == brotli.decompress(again.content) == plain
        assert int(answer.headers["Content-Length"]) == len(answer.content) < len(plain) / 2


def test_what_depends_on_a_cookie_is_left_alone() -> None:
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse("secret " * 100, headers={"Vary": "Cookie"})

    request = RequestFactory().get("/", headers={"Accept-Encoding": "br"})
    assert not brotli_pages(view)(request).has_header("Content-Encoding")
    login = Client().get("/admin/login/", headers={"Accept-Encoding": "gzip, br"})
    assert login.headers["Content-Encoding"] == "gzip"
