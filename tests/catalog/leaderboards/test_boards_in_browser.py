"""Leaderboards and comparison in a real browser: filters without a reload, ticks to a comparison, no barrier."""

from __future__ import annotations

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from pytest_playwright import CreateContextCallback

from catalog import standings
from catalog.models import DataChange, LanguageModel
from tests.catalog.field import make_field

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
PAGES = [
    "/en/benchmarks/?board=coding",
    "/zh-hans/benchmarks/b05/",
    "/en/compare/?m=m05&m=nope&m=m06&q=m1",
    "/en/benchmarks/method/",
    "/zh-hans/models/m05/",
]


@pytest.fixture(autouse=True)
def field(transactional_db: None) -> None:
    make_field()
    standings.refresh()


def test_a_filter_replaces_the_board_and_keeps_the_form(page: Page) -> None:
    page.goto("/en/benchmarks/")
    count = page.locator("#board .count")
    page.get_by_label("VRAM up to (GB)").fill("8")
    page.keyboard.press("Tab")
    expect(count).to_contain_text("8 models of 40")
    assert page.url.endswith("?board=overall&memory=8")
    page.get_by_label("VRAM up to (GB)").fill("-3")
    page.keyboard.press("Tab")
    expect(page.locator("#memory_error")).not_to_be_empty()
    page.get_by_label("VRAM up to (GB)").fill("4")
    page.keyboard.press("Tab")
    expect(count).to_contain_text("4 models of 40")
    expect(page.locator("#memory_error")).to_be_empty()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_ticked_models_are_compared(new_context: CreateContextCallback, scripts: bool) -> None:
    page = new_context(java_script_enabled=scripts).new_page()
    page.goto("/en/benchmarks/")
    page.get_by_label("Compare Model m39").check()
    page.get_by_label("Compare Model m37").check()
    page.get_by_role("button", name="Compare the ticked models").click()
    page.wait_for_url("**/en/compare/?m=*")
    assert page.locator(".compare thead a").all_inner_texts()[::2] == ["Model m39", "Model m37"]


@pytest.mark.parametrize("lang", ["en", "zh-hans"])
def test_the_first_rank_is_on_the_first_screen_of_a_phone(page: Page, lang: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"/{lang}/benchmarks/")
    first = page.locator("#board tbody th").first.bounding_box()
    assert first
    assert first["y"] + first["height"] <= 844


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_accessibility_rules_and_reflow(page: Page, path: str, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    found = Axe().run(page, options=RULES)
    assert found.violations_count == 0, found.generate_report()


def test_every_point_of_the_chart_is_reached_by_keyboard_and_by_touch(new_context: CreateContextCallback) -> None:
    for slug in ("m10", "m20"):  # so that others beat them
        LanguageModel.objects.filter(slug=slug).update(memory_8k_bytes=39 * 2**30)
    DataChange.record()
    page = new_context(has_touch=True, viewport={"width": 1366, "height": 768}).new_page()
    page.goto("/en/benchmarks/")
    points = page.locator(".scatter a.point")
    assert points.count() == 40
    best = page.locator(".scatter a.point:not([tabindex])").first
    best.focus()
    seen = {best.get_attribute("href")}
    for key in ("ArrowRight", "ArrowLeft"):
        for _step in range(40):
            page.keyboard.press(key)
            seen.add(page.evaluate("document.activeElement.getAttribute('href')"))
    assert len(seen) == 40
    assert page.locator(".scatter a.point[tabindex]").count() == 2
    point = page.locator(".scatter a.point[tabindex]").first
    point.focus()
    expect(page.locator(".scatter .told")).to_have_text(re.compile(r"^Model m\d0: 39\.0 GiB, index [\d.]+$"))
    box = point.locator(".dots").bounding_box()
    assert box
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2 + 9)  # beside it
    page.wait_for_url("**/en/models/m*/")
