"""The site asks nobody: with sockets forbidden every kind of page answers, whatever address stands in what was sent."""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from catalog.models import LanguageModel
from tests.catalog.shipped import shipped
from tests.faults.pages import CARD, MODEL, OUTSIDE, PAGES

__all__ = ["shipped"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("computed_cases", "shipped", "no_sockets")]
ELSEWHERE = (
    "http://169.254.169.254/latest/meta-data/",
    "https://huggingface.co/openai/gpt-oss-20b",
    "file:///etc/passwd",
)
API = (
    *("models/", f"models/{MODEL}/", f"models/{MODEL}/memory/", f"models/{MODEL}/fit/?card={CARD}", "accelerators/"),
    *(
        f"accelerators/{CARD}/",
        f"accelerators/{CARD}/fit/",
        "benchmarks/",
        "benchmarks/mmlu/",
        "ranks/",
        "openapi.json",
    ),
)
ADMIN = ("index", "catalog_languagemodel_changelist", "catalog_languagemodel_add", "catalog_score_import")


class LeftError(AssertionError):
    pass


@pytest.fixture
def no_sockets(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """Whoever looks up a name or connects fails the test, also where the site would have caught an `OSError`.
    PostgreSQL is connected to already, and below Python."""

    def refused(*arguments: Any, **_options: Any) -> Any:
        raise LeftError(f"connects to {arguments!r}")

    memory = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    settings.CACHES = settings.CACHES | {name: memory | {"LOCATION": name} for name in ("default", "answers")}
    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refused)
    for name in ("create_connection", "getaddrinfo", "gethostbyname"):
        monkeypatch.setattr(socket, name, refused)


def test_the_test_itself() -> None:
    with pytest.raises(LeftError):
        socket.create_connection(("127.0.0.1", 9))


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_pages(language: str) -> None:
    for page in PAGES:
        assert Client().get(f"/{language}/{page}").status_code == 200, page


def test_what_is_no_page() -> None:
    for path in (*OUTSIDE, *(f"/api/v1/{each}" for each in API), "/healthz", "/readyz"):
        assert Client().get(path).status_code in (200, 302), path


def test_addresses_that_were_sent() -> None:
    client, editor = Client(), Client()
    editor.force_login(User.objects.create_superuser("editor"))
    for name in ADMIN:
        assert editor.get(reverse(f"admin:{name}")).status_code == 200, name
    page = reverse("admin:catalog_languagemodel_change", args=[LanguageModel.objects.get(slug=MODEL).pk])
    assert editor.get(page).status_code == 200
    for address in ELSEWHERE:
        for sent in ({"config": address}, {"config": f'{{"model_type": "llama", "_name_or_path": "{address}"}}'}):
            assert client.post("/en/calculator/", sent).status_code in (200, 302, 400)  # 302: a page of its own
            assert client.post("/api/v1/memory/", sent, content_type="application/json").status_code == 400
        assert client.post("/en/check/", {"log": f"llm_load_print_meta: {address}"}).status_code in (200, 400)
        asked = quote(address, safe="")
        assert client.get(f"/en/calculator/?model={asked}&source={asked}&q={asked}").status_code in (200, 400, 404)
        answer = editor.post(reverse("admin:catalog_languagemodel_add"), {"config": "{}", "repository": address})
        assert answer.status_code in (200, 302, 400)
