"""What was answered is answered again without work until something changes, and what is somebody's own never is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.template.backends.jinja2 import Template
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.models import DataChange, LanguageModel

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shipped")]
MODEL = "/en/models/gpt-oss-20b/"
PATHS = ("/en/", "/zh-hans/models/", MODEL, "/en/accelerators/rtx-4090/", "/en/benchmarks/", "/api/v1/models/")
QUERIES = 0 if connection.vendor == "sqlite" else 1  # PostgreSQL is asked whether something changed


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[Template]:
    """The templates that are written while a test runs, as often as they are."""
    found: list[Template] = []
    write = Template.render

    def noted(template: Template, *args: Any, **kwargs: Any) -> str:
        found.append(template)
        return write(template, *args, **kwargs)

    monkeypatch.setattr(Template, "render", noted)
    return found


@contextmanager
def no_work(written: list[Template]) -> Iterator[None]:
    before = len(written)
    with CaptureQueriesContext(connection) as asked:
        yield
    assert len(asked) <= QUERIES
    assert len(written) == before


@pytest.mark.parametrize("path", PATHS)
def test_the_second_answer_costs_no_query_and_no_template(path: str, written: list[Template]) -> None:
    first = Client().get(path)
    assert bool(written) == ("/api/" not in path)
    with no_work(written):
        again = Client().get(path)
    assert (again.status_code, again.content) == (200, first.content)
    told = {name: value for name, value in first.headers.items() if name not in ("Date", "X-Request-ID")}
    assert {name: again.headers[name] for name in told} == told


@pytest.mark.parametrize("path", PATHS)
def test_who_has_it_already_is_told_so_without_work(path: str, written: list[Template]) -> None:
    tag = Client().get(path).headers["ETag"]
    with no_work(written):
        unchanged = Client().get(path, headers={"If-None-Match": tag})
    assert (unchanged.status_code, unchanged.content, unchanged.headers["ETag"]) == (304, b"", tag)


def test_an_edit_is_seen_at_the_next_request() -> None:
    before = Client().get(MODEL)
    row = LanguageModel.objects.get(slug="gpt-oss-20b")
    row.name = "GPT-OSS renamed"
    row.save()
    after = Client().get(MODEL, headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert "GPT-OSS renamed" in after.content.decode()


def test_an_edit_that_was_undone_is_not_seen() -> None:
    before = DataChange.version()
    with transaction.atomic():
        row = LanguageModel.objects.get(slug="gpt-oss-20b")
        row.name = "GPT-OSS renamed"
        row.save()
        assert "GPT-OSS renamed" in Client().get(MODEL).content.decode()
        transaction.set_rollback(True)
    assert DataChange.version() == before
    assert "GPT-OSS renamed" not in Client().get(MODEL).content.decode()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"HX-Request": "true"}),
        ({"HX-Request": "true"}, {"HX-Request": "true", "HX-Trigger-Name": "engine"}),
        ({}, {"Accept-Encoding": "gzip"}),
        ({"Accept-Encoding": "gzip"}, {"Accept-Encoding": "gzip, br"}),
        ({}, {"Host": "127.0.0.1"}),
    ],
)
def test_parts_and_wholes_are_told_apart(one: dict[str, str], other: dict[str, str]) -> None:
    tags = {Client().get(MODEL, headers=headers).headers["ETag"] for headers in (one, other, one)}
    assert len(tags) == 2


@pytest.mark.parametrize("path", ["/api/v1/models/gpt-oss-20b/memory/", "/api/v1/accelerators/rtx-4090/fit/"])
def test_no_cookie_gives_others_another_language(path: str, settings: Any) -> None:
    """What one visitor was answered is kept for all: a cookie, which `Vary` does not name, is none of the question."""
    said = Client(headers={"cookie": f"{settings.LANGUAGE_COOKIE_NAME}=zh-hans", "accept-language": "en"}).get(path)
    assert said.headers["Content-Language"] == "en"
    assert said.content == Client(headers={"accept-language": "en"}).get(f"{path}?other").content


@pytest.mark.parametrize("path", ["/en/models/none/", "/en/models/?sort=luck", "/", "/healthz"])
def test_what_is_no_answer_is_not_kept(path: str) -> None:
    first, again = Client().get(path), Client().get(path)
    assert first.status_code == again.status_code
    assert "W/" not in first.headers.get("ETag", "")
    assert Client().get(path, headers={"If-None-Match": "*"}).status_code == first.status_code


def test_an_editor_is_answered_apart(written: list[Template]) -> None:
    editor = Client()
    editor.force_login(User.objects.create_superuser("editor"))
    for client in (editor, Client(), editor):  # nothing of the editor's is kept, nor given to them
        written.clear()
        client.get(MODEL)
        assert written


def test_whoever_still_has_a_message_is_answered_apart(written: list[Template], settings: Any) -> None:
    """Of an editor who logged out: what a page would say of it is nobody else's."""
    for _turn in range(2):
        written.clear()
        Client(headers={"cookie": f"{settings.MESSAGES_COOKIE_NAME}=x"}).get(MODEL)
        assert written


def test_nothing_is_kept_while_templates_are_written(settings: pytest.FixtureRequest, written: list[Template]) -> None:
    settings.DEBUG = True  # type: ignore[attr-defined]
    Client().get(MODEL)
    written.clear()
    Client().get(MODEL)
    assert written
