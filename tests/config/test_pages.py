"""Every kind of page, found by following links from the front page in both languages."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

import pytest
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from django.urls import Resolver404, resolve
from django.utils import translation
from pytest_django import DjangoDbBlocker

from tests.config.markup import Page, english_prose, spaced, strays

OF_EACH_KIND = 4  # pages of one view that are read in one language
HOST = "http://testserver"
Crawl = dict[str, tuple[Page, dict[str, str]]]


@pytest.fixture(scope="module")
def crawl(computed_cases: None, django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Crawl]:
    """Path -> the page and its headers. The whole catalogue is loaded once and rolled back."""
    with django_db_blocker.unblock(), transaction.atomic():
        call_command("sync_catalog", verbosity=0)
        yield {**follow("/en/"), **follow("/zh-hans/")}
        transaction.set_rollback(True)


def view_of(path: str) -> str:
    with translation.override("zh-hans" if path.startswith("/zh-hans/") else "en"):
        return resolve(urlsplit(path).path).view_name


def follow(start: str) -> Crawl:
    found: Crawl = {}
    seen, kinds, client = {start}, Counter[str](), Client()
    queue = [start]
    while queue:
        path = queue.pop(0)
        answer = client.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code}"
        if not answer.headers["Content-Type"].startswith("text/html"):
            continue
        page = Page(answer.content.decode())
        found[path] = (page, dict(answer.headers) | {"Set-Cookie": answer.cookies.output()})
        for link in page.links:
            target = urlsplit(urljoin(HOST + path, link))
            address = target._replace(scheme="", netloc="", fragment="").geturl()
            if f"{target.scheme}://{target.netloc}" != HOST or not target.path.startswith(start) or address in seen:
                continue
            seen.add(address)
            try:
                kind = f"{view_of(address)}{'?' if target.query else ''}"
            except Resolver404:
                pytest.fail(f"{path} links to {address}, which is nowhere")
            kinds[kind] += 1
            if kinds[kind] <= OF_EACH_KIND:
                queue.append(address)
    return found


def test_the_crawl_reaches_every_kind_of_page_in_both_languages(crawl: Crawl) -> None:
    for language in ("en", "zh-hans"):
        views = {view_of(path) for path in crawl if path.startswith(f"/{language}/")}
        assert views >= {
            "catalog:home",
            "catalog:model_list",
            "catalog:model",
            "catalog:organization",
            "catalog:family",
            "catalog:accelerator_list",
            "catalog:accelerator",
            "calculator:calculator",
        }


def test_no_text_in_the_other_language(crawl: Crawl) -> None:
    found = {text: path for path, (page, _headers) in crawl.items() for text in strays(page)}
    assert not found


def test_strict_headers_on_every_page(crawl: Crawl) -> None:
    for path, (_page, headers) in crawl.items():
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy, path
        assert "unsafe" not in policy, path
        assert "form-action 'self'" in policy, path
        assert "frame-ancestors 'none'" in policy, path
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["Referrer-Policy"] == "same-origin", path
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin", path
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin", path
        assert "camera=()" in headers["Permissions-Policy"], path


def test_no_cookie_on_public_pages(crawl: Crawl) -> None:
    for path, (_page, headers) in crawl.items():
        assert headers["Set-Cookie"] == "", path
        assert "Cookie" not in headers.get("Vary", ""), path


def test_languages_point_at_each_other(crawl: Crawl) -> None:
    by_address = {HOST + urlsplit(path).path: page for path, (page, _headers) in crawl.items()}
    for path, (page, _headers) in crawl.items():
        assert set(page.alternates) == {"en", "zh-Hans", "x-default"}, path
        assert page.canonical == HOST + urlsplit(path).path
        own = "zh-Hans" if path.startswith("/zh-hans/") else "en"
        assert page.language == own, path
        assert page.alternates[own] == page.canonical, path
        for twin in page.alternates.values():
            if twin in by_address:
                assert by_address[twin].alternates == page.alternates, path


def test_the_language_switch_keeps_page_and_query(crawl: Crawl) -> None:
    for path, (page, _headers) in crawl.items():
        here, there = ("/en/", "/zh-hans/") if path.startswith("/en/") else ("/zh-hans/", "/en/")
        assert path.replace(here, there, 1) in page.links, path


def test_every_page_is_well_formed(crawl: Crawl) -> None:
    for path, (page, _headers) in crawl.items():
        assert page.tags.count("h1") == 1, path
        assert page.tags.count("main") == 1, path
        assert not [name for name, times in Counter(page.ids).items() if times > 1], path


def test_titles_tell_pages_apart(crawl: Crawl) -> None:
    titles: dict[str, str] = {}
    for path, (page, _headers) in crawl.items():
        if "?" in path:
            continue
        title = page.html.partition("<title>")[2].partition("</title>")[0].strip()
        assert titles.setdefault(title, path) == path, f"{path} and {titles[title]} are both titled {title!r}"


def test_descriptions_are_there_and_tell_pages_apart(crawl: Crawl) -> None:
    found: dict[str, str] = {}
    for path, (page, _headers) in crawl.items():
        if "?" in path:
            continue
        assert len(page.description) >= 15, path
        assert found.setdefault(page.description, path) == path, f"{path} and {found[page.description]}"


def test_no_space_stands_beside_full_width_punctuation(crawl: Crawl) -> None:
    found = {text: path for path, (page, _headers) in crawl.items() for text in spaced(page) if "/zh-hans/" in path}
    assert not found


SEARCHED = {
    "/en/": ("VRAM", "GPU", "requirements", "uantis"),
    "/zh-hans/": ("显存需求", "量化", "GPU", "显卡", "推荐"),
}


def test_a_model_page_has_the_words_that_readers_search_for(crawl: Crawl) -> None:
    models = [path for path in crawl if view_of(path) == "catalog:model"]
    assert len(models) >= 8
    for path in models:
        page, _headers = crawl[path]
        for start, words in SEARCHED.items():
            if path.startswith(start):
                assert not [word for word in words if word not in page.flow], path


@pytest.mark.django_db
def test_sitemap_and_robots(crawl: Crawl, client: Client) -> None:
    robots = client.get("/robots.txt").content.decode()
    assert f"Sitemap: {HOST}/sitemap.xml" in robots
    index = client.get("/sitemap.xml").content.decode()
    parts = re.findall(rf"<loc>{HOST}([^<]+)</loc>", index)
    assert "/sitemap-models.xml" in parts
    sitemap = "".join(client.get(part).content.decode() for part in parts)
    for path in crawl:
        if "?" not in path and view_of(path) in {"catalog:model", "catalog:organization", "catalog:family"}:
            assert f"<loc>{HOST}{path}</loc>" in sitemap, path
    assert 'hreflang="zh-hans"' in sitemap


@pytest.mark.parametrize(
    ("text", "prose"),
    [
        ("Memory it takes to run the model", True),
        ("The weights are kept in RAM.", True),
        ("Llama 4 Community License Agreement", False),
        ("Massive Multitask Language Understanding", False),
        ("混合专家 Mixture of Experts，共 128 个", False),
        ("DeepSeek-V3, Qwen3 30B", False),
    ],
)
def test_prose_is_told_from_names(text: str, prose: bool) -> None:
    assert bool(english_prose(text)) is prose
