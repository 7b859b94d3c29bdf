"""Error pages in the reader's language, and without what may be broken."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.test import Client, RequestFactory
from django.utils import translation

from config import errors

HEADINGS = {
    400: {"en": "Bad request", "zh-hans": "请求有误"},
    403: {"en": "Not allowed", "zh-hans": "没有权限"},
    404: {"en": "Page not found", "zh-hans": "没有这个页面"},
    405: {"en": "Nothing can be sent here", "zh-hans": "这个地址不接收内容"},
    500: {"en": "Something broke here", "zh-hans": "这里出了问题"},
    503: {"en": "Not available at the moment", "zh-hans": "暂时无法访问"},
}
HTML_LANG = {"en": "en", "zh-hans": "zh-Hans"}
both_languages = pytest.mark.parametrize("language", ["en", "zh-hans"])


def assert_in_language(answer: Any, status: int, language: str) -> None:
    page = answer.content.decode()
    assert answer.status_code == status
    assert f'<html lang="{HTML_LANG[language]}">' in page
    assert f"<h1>{HEADINGS[status][language]}</h1>" in page
    other = "zh-hans" if language == "en" else "en"
    assert HEADINGS[status][other] not in page


@pytest.mark.django_db
@both_languages
def test_not_found(client: Client, language: str) -> None:
    assert_in_language(client.get(f"/{language}/nothing/"), 404, language)


@pytest.mark.django_db
@both_languages
def test_not_found_outside_a_language_follows_the_browser(client: Client, language: str) -> None:
    assert_in_language(client.get("/nothing", headers={"accept-language": language}), 404, language)


@both_languages
def test_unknown_host(client: Client, language: str) -> None:
    assert_in_language(client.get(f"/{language}/", headers={"host": "evil.example"}), 400, language)


@both_languages
def test_not_allowed(rf: RequestFactory, language: str) -> None:
    with translation.override(language):
        answer = errors.permission_denied(rf.get(f"/{language}/"), PermissionDenied())
    assert_in_language(answer, 403, language)


@both_languages
@pytest.mark.usefixtures("nothing_works")
def test_server_error_needs_nothing_that_may_be_broken(rf: RequestFactory, language: str) -> None:
    with translation.override("en" if language == "zh-hans" else "zh-hans"):  # left over from another request
        answer = errors.server_error(rf.get(f"/{language}/"))
    assert_in_language(answer, 500, language)


@pytest.fixture
def nothing_works(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """No context processor, no manifest of static files; pytest-django itself forbids the database here."""

    def broken(request: object) -> dict[str, object]:
        raise RuntimeError("a context processor that fails")

    monkeypatch.setattr("config.context.site", broken)
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    }
    settings.STATIC_ROOT = "/nowhere"


def test_a_form_that_has_expired_says_what_to_do(settings: Any) -> None:
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post(f"/{settings.ADMIN_PATH}login/", {"username": "x"}, headers={"accept-language": "zh-CN"})
    assert answer.status_code == 403
    assert "表单已过期" in answer.content.decode()


@both_languages
@pytest.mark.parametrize("error", [OperationalError("server closed the connection"), InterfaceError("closed")])
def test_a_database_that_is_gone_is_503_and_back_at_the_next_request(language: str, error: Exception) -> None:
    client = Client(raise_request_exception=False)
    with patch("config.kept_answers.DataChange.pinned", side_effect=error):
        answer = client.get(f"/{language}/glossary/")
    assert_in_language(answer, 503, language)
    assert answer.headers["Retry-After"] == "10"
    with patch("config.kept_answers.DataChange.pinned", side_effect=ValueError):
        assert_in_language(client.get(f"/{language}/glossary/"), 500, language)


@pytest.mark.django_db
@both_languages
def test_errors_of_the_api_are_json(language: str) -> None:
    client = Client(raise_request_exception=False, headers={"accept-language": language})
    missing = client.get("/api/v1/nothing/")
    assert (missing.status_code, missing.json()["errors"]) == (404, {})
    assert ("没有" in missing.json()["detail"]) == (language == "zh-hans")
    assert client.get("/api/v2/").headers["Content-Type"] == "application/json"
    assert client.get("/api/").headers["Location"] == f"/{language}/api/"  # no error: the page that describes it
    assert client.get("/api/v1/models/", headers={"host": "evil.example"}).json()["errors"] == {}
    with patch("config.kept_answers.DataChange.pinned", side_effect=OperationalError("gone")):
        gone = client.get("/api/v1/models/")
    assert (gone.status_code, gone.json()["errors"]) == (503, {})
