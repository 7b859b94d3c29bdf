"""An editor's day in a browser: what is edited is seen at once, what two write is kept, what is gone comes back."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect

from catalog.models import LanguageModel, Score
from tests.catalog.shipped import DATA, copy_shipped

SLUG, MANY = "qwen3-0-6b", "qwen3-235b-a22b"
PASSWORD = "a long one for tests"
NEW_TEXT = "最小的 Qwen3，由编辑改写。"


@pytest.fixture
def files(transactional_db: None, tmp_path: Path) -> Path:
    """Two models, one of them with as many scores as any; two people who may edit."""
    folder = copy_shipped(tmp_path / "data")
    shutil.rmtree(folder / "models")
    for slug in (SLUG, MANY):
        shutil.copytree(DATA / "models/qwen" / slug, folder / "models/qwen" / slug)
    (folder / "score_aliases.toml").write_text("[aliases]\n")
    call_command("sync_catalog", str(folder), verbosity=0)
    for name in ("anna", "ben"):
        User.objects.create_superuser(name, password=PASSWORD)
    return folder


@pytest.fixture
def steps(capsys: pytest.CaptureFixture[str]) -> Any:
    @contextmanager
    def step(name: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        with capsys.disabled():
            print(f"\n    {name}: {time.monotonic() - began:.1f} s", end="")

    return step


def log_in(page: Page, name: str) -> None:
    page.goto("/admin/login/?next=/admin/")
    page.locator("#id_username").fill(name)
    page.locator("#id_password").fill(PASSWORD)
    page.locator("[type=submit]").click()
    expect(page.locator("#content-main")).to_be_visible()


def row(slug: str = SLUG) -> Any:
    return LanguageModel.objects.get(slug=slug)


def form(slug: str = SLUG) -> str:
    return reverse("admin:catalog_languagemodel_change", args=[row(slug).pk])


def save(page: Page) -> None:
    page.locator("[name=_save]").first.click()


def saved(page: Page) -> None:
    save(page)
    expect(page.locator(".messagelist .success")).to_be_visible()


def lede(page: Page, language: str, text: str) -> None:
    page.goto(f"/{language}/models/{SLUG}/")
    expect(page.locator(".lede")).to_have_text(text)


def test_a_day(page: Page, browser: Browser, base_url: str, files: Path, complaints: list[str], steps: Any) -> None:
    log_in(page, "anna")
    shipped, english = row().summary_zh_hans, row().summary_en
    with steps("a Chinese summary, seen at once and in no other language"):
        page.goto(form())
        page.locator("#id_summary_zh_hans").fill(NEW_TEXT)
        saved(page)
        lede(page, "zh-hans", NEW_TEXT)
        lede(page, "en", english)
    with steps("a contradiction is refused, and what was typed is there"):
        page.goto(form())
        page.locator("#id_total_parameters").fill("999000000")
        page.locator("#id_summary_en").fill("Typed beside it.")
        save(page)
        expect(page.locator(".errornote")).to_be_visible()
        expect(page.locator(".errorlist").first).to_contain_text("596")
        expect(page.locator("#id_summary_en")).to_have_value("Typed beside it.")
    with steps("two editors at one entry"):
        two_editors(page, browser, base_url)
    with steps("a sync leaves the edit alone"):
        call_command("sync_catalog", str(files), verbosity=0)
        lede(page, "zh-hans", NEW_TEXT)
    with steps("the shipped version stands again"):
        page.goto(form().replace("/change/", "/history/"))
        page.locator("#change-history tbody a").last.click()
        expect(page.locator("ins").first).to_be_visible()
        page.locator("[type=submit].default").last.click()
        expect(page.locator(".messagelist .success")).to_be_visible()
        lede(page, "zh-hans", shipped)
    with steps("deleted and brought back, scores and all"):
        delete_and_recover(page)
    with steps(f"the entry with {row(MANY).scores.count()} scores is saved"):
        page.goto(form(MANY))
        page.locator("#id_summary_en").fill("Ninety-one scores and one edit.")
        saved(page)
        assert row(MANY).summary_en == "Ninety-one scores and one edit."
    with steps("200 rows of CSV, three of them wrong"):
        import_csv(page)


def two_editors(page: Page, browser: Browser, base_url: str) -> None:
    """Ben writes English while Anna writes Chinese; then both write the same field."""
    with browser.new_context(base_url=base_url) as context:
        other = context.new_page()
        log_in(other, "ben")
        other.goto(form())
        page.goto(form())
        page.locator("#id_description_zh_hans").fill("安娜写的说明。")
        page.locator("#id_summary_en").fill("Anna's words.")
        saved(page)
        other.locator("#id_description_en").fill("Ben's description.")
        saved(other)
        assert (row().description_zh_hans, row().description_en) == ("安娜写的说明。", "Ben's description.")
        other.goto(form())
        page.goto(form())
        page.locator("#id_summary_en").fill("Anna's other words.")
        saved(page)
        other.locator("#id_summary_en").fill("Ben's words.")
        save(other)
        expect(other.locator(".errorlist")).to_contain_text("Saved meanwhile by anna")
        expect(other.locator("#id_summary_en")).to_have_value("Ben's words.")
        other.locator("input[value^=mine]").check()
        saved(other)
        assert row().summary_en == "Ben's words."


def delete_and_recover(page: Page) -> None:
    kept = row().scores.count(), row().sources.count()
    page.goto(form().replace("/change/", "/delete/"))
    page.locator("[type=submit]").last.click()
    expect(page.locator(".messagelist .success")).to_be_visible()
    assert page.goto(f"/en/models/{SLUG}/").status == 404  # type: ignore[union-attr]
    page.goto(reverse("admin:catalog_languagemodel_recoverlist"))
    page.locator("#change-history a").first.click()
    page.locator("[type=submit].default").last.click()
    expect(page.locator(".messagelist .success")).to_be_visible()
    assert (row().scores.count(), row().sources.count()) == kept
    assert page.goto(f"/en/models/{SLUG}/").status == 200  # type: ignore[union-attr]


def import_csv(page: Page) -> None:
    head = "model,benchmark,value,source,source_kind,date"
    rows = [f"{SLUG},mmlu,{number % 100},https://example.org/{number},vendor,2025-01" for number in range(200)]
    rows[10], rows[20] = rows[10].replace(",10,", ",ten,"), rows[20].replace(SLUG, "nobody")
    rows[30] = rows[30].replace(",30,", ",3000,")
    before = Score.objects.count()
    page.goto(reverse("admin:catalog_score_import"))
    page.locator("#id_table").fill("\n".join([head, *rows]))
    page.locator("[name=_look]").click()
    expect(page.locator(".refused")).to_have_count(3)
    expect(page.locator("[role=status]")).to_contain_text("197 new")
    expect(page.locator("[name=_save]")).to_have_count(0)
    assert Score.objects.count() == before
