"""The page of everything that is found, suggestions, and the lists of families and organisations."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.models import Family, LanguageModel, Organization
from tests.catalog.test_scale import queries_of
from tests.pages import get, text_of

MARKUP = '<b>llama</b> "4'

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shipped")]


@pytest.mark.parametrize(
    ("lang", "q", "words"),
    [
        ("en", "llama 4", ["Families 1", "Llama 4 Meta · 2 models", "Llama 4 Scout Instruct Meta · 108.6B · "]),
        ("zh-hans", "rtx 4090", ["加速卡", "GeForce RTX 4090 NVIDIA · 24 GB"]),
        ("en", "MMLU", ["Benchmarks", "MMLU-Pro"]),
        ("en", "deepseak", ["Nothing is called “deepseak”. These are for “deepseek”.", "DeepSeek-V3"]),
        ("zh-hans", "deepseek-v3 4090", ["没有同时包含", "DeepSeek-V3", "GeForce RTX 4090"]),
        ("en", "lamma 3", ["Nothing is found by “lamma 3”.", "Did you mean:", "Llama 3"]),
        ("zh-hans", "xyzzy", ["找不到任何条目", "全部模型"]),
        ("en", "", ["All families", "All organisations"]),
        ("en", "best coding model for 24gb", ["Best models in 24 GB All coding", "GeForce RTX 4090"]),
        ("zh-hans", "24GB 显存 推荐模型", ["24 GB 显存能跑的最佳模型 综合", "GeForce RTX 4090"]),
        ("zh-hans", "llama 300g", ["「llama」：300 GB 显存能跑的模型 按名次排列"]),
    ],
)  # fmt: skip
def test_page(lang: str, q: str, words: list[str]) -> None:
    page = text_of(get(f"/{lang}/search/?q={quote(q)}"))
    for each in words:
        assert each in page


def test_what_a_reader_typed_is_shown_as_text() -> None:
    for path in ("search/", "search/suggestions/"):
        page = get(f"/en/{path}?q={quote(MARKUP)}")
        assert "<b>llama" not in page


@pytest.mark.parametrize("lang", ["en", "zh-hans"])
def test_suggestions_are_options_in_named_groups(lang: str) -> None:
    part = get(f"/{lang}/search/suggestions/?q=llama")
    assert "<html" not in part
    groups = re.findall(r'role="group" aria-labelledby="([^"]+)"', part)
    assert groups
    ids = re.findall(r'\bid="([^"]+)"', part)
    assert len(ids) == len(set(ids))
    assert set(groups) <= set(ids)
    addresses = re.findall(r'role="option"[^>]*href="([^"]+)"', part)
    assert f"/{lang}/models/llama-4-maverick-instruct/" in addresses
    assert addresses[-1] == f"/{lang}/search/?q=llama"
    for address in addresses:
        get(address)
    assert get(f"/{lang}/search/suggestions/?q=%20").strip() == ""
    assert get(f"/{lang}/search/suggestions/?q=xyzzy").strip() == ""


def test_cards_for_a_list_of_cards() -> None:
    def slugs(q: str) -> list[str]:
        found: list[str] = Client().get(f"/en/search/cards/?q={quote(q)}").json()
        return found

    assert slugs("4090")[0] == "rtx-4090"
    assert slugs("昇腾 910B")[:1] == ["ascend-910b2-64gb"]
    assert slugs("M3 Max 128") == ["apple-m3-max-128gb"]
    assert slugs("llama") == slugs("") == []


def test_lists_of_families_and_organizations() -> None:
    families, organizations = get("/zh-hans/families/"), get("/en/organizations/")
    for family in Family.objects.all():
        shown = LanguageModel.objects.published().filter(family=family).exists()
        assert (f'href="/zh-hans/families/{family.slug}/"' in families) is shown
    for row in Organization.objects.all():
        assert (f'href="/en/organizations/{row.slug}/"' in organizations) is row.models.exists()
    sitemap = get("/sitemap-pages.xml")
    assert "/en/families/</loc>" in sitemap
    assert "/zh-hans/organizations/</loc>" in sitemap
    assert "search" not in sitemap


PAGES = (
    "/en/search/?q=llama",
    "/en/search/suggestions/?q=llama",
    "/en/families/",
    "/en/organizations/",
    "/en/models/?q=llama",
    "/en/accelerators/?q=4090",
    "/en/search/cards/?q=4090",
)


def test_queries_do_not_grow_with_what_is_found() -> None:
    before = {path: queries_of(path) for path in PAGES}
    one = LanguageModel.objects.get(slug="llama-3-1-8b-instruct")
    for number in range(20):
        one.pk, one.slug, one.shipped = None, f"llama-copy-{number}", None
        one.save(force_insert=True)
    assert {path: queries_of(path) for path in PAGES} == before
    assert max(before.values()) <= 9
    with CaptureQueriesContext(connection) as queries:
        get("/en/search/suggestions/?q=llama 4")
    assert len(queries) <= 5
