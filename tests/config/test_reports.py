"""Reporting an error: off unless the operator says where to, and filled with what it is about."""

from __future__ import annotations

import html
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.utils import translation
from pytest_django.fixtures import Settings as SettingsWrapper

from catalog import sync
from catalog.models import LanguageModel
from catalog.source import load
from config import reports
from tests.catalog.sample import DataFolder

FORM = "https://git.example/issues/new?title={title}&page={page}&lang={language}&fact={fact}"


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path / "data")


def given(monkeypatch: pytest.MonkeyPatch, value: str) -> str:
    monkeypatch.setenv("REPORT_URL", value)
    return reports.template("REPORT_URL")


def link_of(page: str) -> dict[str, list[str]]:
    (found,) = re.findall(r'<li><a href="([^"]+)" rel="noopener">(?:Report an error|报告错误)', page)
    return parse_qs(urlsplit(html.unescape(found)).query)


@pytest.mark.parametrize(
    "value",
    [
        "javascript:alert(1)",
        "mailto:",
        "https:///x",
        "atlas.example",
        "https://a.example/?q={slug}",
        "https://a.example/{",
    ],
)
def test_what_is_no_address(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ImproperlyConfigured, match="REPORT_URL"):
        given(monkeypatch, value)


def test_off_by_default(client: Client, db: None) -> None:
    assert "Report an error" not in client.get("/en/").content.decode()
    assert reports.report_url("https://atlas.example/en/") == ""


def test_every_page_has_it(folder: DataFolder, client: Client, db: None, settings: SettingsWrapper) -> None:
    sync.sync(load(folder.path))
    settings.REPORT_URL = FORM
    for path in ("/en/", "/zh-hans/models/", "/en/glossary/", "/en/nothing-here/", "/en/models/?q=a&b=%C3%BC"):
        found = link_of(client.get(path).content.decode())
        assert found["lang"] == [path.split("/")[1]]
        assert found["page"] == [f"http://testserver{path}"]
        assert found["fact"][0]


def test_beside_a_source(folder: DataFolder, client: Client, db: None, settings: SettingsWrapper) -> None:
    sync.sync(load(folder.path))
    settings.REPORT_URL = FORM
    page = client.get(LanguageModel.objects.get().get_absolute_url()).content.decode()
    found = re.findall(r' · <a href="([^"]+)" rel="noopener">', page)
    assert found
    sent = parse_qs(urlsplit(html.unescape(found[0])).query)
    assert sent["page"][0].endswith("#source-1")
    assert sent["fact"][0] in page


def test_a_mail_says_it_all(monkeypatch: pytest.MonkeyPatch, settings: SettingsWrapper) -> None:
    settings.REPORT_URL = given(monkeypatch, "mailto:editors@atlas.example")
    with translation.override("zh-hans"):
        address = reports.report_url("https://atlas.example/zh-hans/models/a&b/", "参数总量")
    parts = urlsplit(address)
    sent = parse_qs(parts.query)
    assert (parts.scheme, parts.path) == ("mailto", "editors@atlas.example")
    assert sent["subject"] == ["错误：参数总量"]
    assert sent["body"][0].split("\r\n")[:3] == [
        "页面：https://atlas.example/zh-hans/models/a&b/",
        "语言：zh-hans",
        "内容：参数总量",
    ]


def test_an_address_that_holds_a_config_is_cut(settings: SettingsWrapper) -> None:
    settings.REPORT_URL = "https://git.example/?p={page}"
    assert reports.report_url("https://atlas.example/en/calculator/?z=" + "a" * 9000) == (
        "https://git.example/?p=https%3A%2F%2Fatlas.example%2Fen%2Fcalculator%2F"
    )
