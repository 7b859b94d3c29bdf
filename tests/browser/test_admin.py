"""Every page of the admin for every reader: both languages and themes, wide and narrow, read aloud and by keyboard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Dialog, Page, expect

from catalog.models import Accelerator, Benchmark, Family, LanguageModel, Licence, Organization, Score
from tests.browser.test_adding import look
from tests.browser.test_editing import NEW_TEXT, PASSWORD, SLUG, files, form, lede, log_in, row, save, saved

__all__ = ["files"]  # a fixture
KINDS = (LanguageModel, Score, Benchmark, Accelerator, Organization, Family, Licence)
READERS = [("en", "dark"), ("zh-hans", "light")]


def lists() -> list[str]:
    names = [f"catalog_{kind._meta.model_name}_changelist" for kind in KINDS]
    others = ("index", "catalog_local_edits", "catalog_score_import", "catalog_licence_import", "password_change")
    found = [
        reverse(f"admin:{name}") for name in (*others, *names, "catalog_removal_changelist", "auth_user_changelist")
    ]
    return [*found, f"{reverse('admin:catalog_score_changelist')}?model__id__exact={row().pk}"]


def forms() -> list[str]:
    add = [reverse(f"admin:catalog_{kind._meta.model_name}_add") for kind in (LanguageModel, Score, Accelerator)]
    change = [
        reverse(f"admin:catalog_{kind._meta.model_name}_change", args=[kind._base_manager.all()[0].pk])
        for kind in KINDS
        if kind not in (LanguageModel, Family, Licence)  # which are as those of organisations
    ]
    pages = [reverse(f"admin:catalog_languagemodel_{page}", args=[row().pk]) for page in ("history", "delete")]
    return [form(), *add, f"{add[0]}?by_hand=1", *change, *pages, reverse("admin:catalog_languagemodel_recoverlist")]


@pytest.mark.parametrize("pages", [lists, forms])
@pytest.mark.parametrize(("language", "theme"), READERS)
def test_every_page_for_every_reader(page: Page, files: Path, language: str, theme: Any, pages: Any) -> None:
    LanguageModel.objects.filter(slug=SLUG).update(summary_zh_hans=NEW_TEXT)
    page.set_extra_http_headers({"Accept-Language": language})
    page.emulate_media(color_scheme=theme)
    page.goto(reverse("admin:login"))
    look(page, "body")
    log_in(page, "anna")
    for address in pages():
        page.goto(address)
        look(page, "body")


@pytest.mark.parametrize("width", [1280, 1024, 360])
def test_both_languages_stand_side_by_side_where_there_is_room(page: Page, files: Path, width: int) -> None:
    log_in(page, "anna")
    page.set_viewport_size({"width": width, "height": 900})
    for address in (form(), f"{reverse('admin:catalog_languagemodel_add')}?by_hand=1"):
        page.goto(address)
        for field in ("summary", "description"):
            english, chinese = (page.locator(f"#id_{field}_{name}").bounding_box() for name in ("en", "zh_hans"))
            assert english is not None
            assert chinese is not None
            if width < 1024:
                assert chinese["y"] >= english["y"] + english["height"]
                assert abs(chinese["x"] - english["x"]) < 2
            else:
                assert chinese["x"] >= english["x"] + english["width"]
                assert abs(chinese["y"] - english["y"]) < 2


def test_a_text_is_seen_as_readers_will_see_it(page: Page, files: Path, complaints: list[str]) -> None:
    log_in(page, "anna")
    page.goto(form())
    box = page.locator("#id_description_zh_hans")
    box.fill("**重点：**后文，8K 时 {memory@8K} GiB。\n\n- 上下文窗口")
    seen = page.locator("#id_description_zh_hans + .prose-preview")
    expect(seen.locator("strong")).to_have_text("重点：")
    expect(seen.locator(".prose-seen")).to_contain_text("8K 时 1.96 GiB。")
    expect(seen.locator("li").first).to_have_text("上下文窗口")
    expect(seen.locator(".prose-hints")).to_contain_text("“上下文长度”")
    saved(page)
    page.goto(f"/zh-hans/models/{SLUG}/")
    expect(page.locator(".prose strong")).to_have_text("重点：")


def test_the_language_is_switched_before_and_after_the_login(page: Page, files: Path, complaints: list[str]) -> None:
    page.set_extra_http_headers({"Accept-Language": "en"})
    page.goto(reverse("admin:login"))
    page.get_by_role("button", name="简体中文").press("Enter")
    expect(page).to_have_title("登录 | 模型图鉴：编辑")
    page.keyboard.type("anna")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="模型图鉴")).to_be_visible()
    page.get_by_role("button", name="English").press("Enter")
    expect(page.get_by_role("heading", name="The catalogue")).to_be_visible()


def test_deleted_while_somebody_types(page: Page, browser: Browser, base_url: str, files: Path) -> None:
    """What was typed comes back with a word on it, and is saved as a new entry under the old address."""
    with browser.new_context(base_url=base_url) as context:
        other = context.new_page()
        log_in(other, "ben")
        other.goto(form())
        other.locator("#id_summary_zh_hans").fill(NEW_TEXT)
        log_in(page, "anna")
        page.goto(form().replace("/change/", "/delete/"))
        page.locator("#content [type=submit]").last.click()
        expect(page.locator(".messagelist .success")).to_be_visible()
        save(other)
        expect(other.locator(".errorlist").first).to_contain_text("deleted meanwhile")
        expect(other.locator("#id_summary_zh_hans")).to_have_value(NEW_TEXT)
        saved(other)
        lede(other, "zh-hans", NEW_TEXT)


def test_leaving_asks_where_something_was_typed(page: Page, files: Path) -> None:
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    log_in(page, "anna")
    page.goto(form())
    page.locator("#id_summary_en").press_sequentially("Typed.")
    page.get_by_role("button", name="简体中文").click()
    expect(page.locator("#id_summary_en")).to_have_value(f"Typed.{row().summary_en}")
    assert asked == ["beforeunload"]
    saved(page)  # which asks nothing
    page.goto(form())
    page.get_by_role("button", name="简体中文").click()
    expect(page.get_by_role("heading", name="修改语言模型")).to_be_visible()
    assert asked == ["beforeunload"]
