"""The frame in a real browser: nothing leaves the site, nothing is refused, everything is reachable."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from pytest_playwright import CreateContextCallback

PAGES = ["/en/", "/zh-hans/", "/en/models/", "/zh-hans/models/", "/zh-hans/nothing/"]
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
# What the browser itself says of the 404 page that is among the pages
ACCEPTED = "Failed to load resource: the server responded with a status of 404"


@pytest.mark.parametrize("path", PAGES)
def test_nothing_leaves_the_site_and_nothing_is_refused(page: Page, base_url: str, path: str) -> None:
    asked, complaints = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(path, wait_until="networkidle")
    assert [url for url in asked if not url.startswith(base_url)] == []
    assert [text for text in complaints if not text.startswith(ACCEPTED)] == []


@pytest.mark.parametrize("path", PAGES)
def test_reflow_at_320_pixels(page: Page, path: str) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_accessibility_rules(page: Page, path: str, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(path)
    found = Axe().run(page, options=RULES)
    assert found.violations_count == 0, found.generate_report()


def test_the_theme_is_kept_and_there_before_anything_is_drawn(page: Page) -> None:
    """The script stands before the style sheets and waits for nothing, so no frame is drawn in another theme."""
    page.emulate_media(color_scheme="light")
    page.goto("/en/")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    page.get_by_label("Theme").select_option("dark")
    dark = page.evaluate(paper)
    assert dark != light
    page.goto("/zh-hans/models/")
    assert page.evaluate(paper) == dark
    assert page.get_by_label("主题").input_value() == "dark"
    scripts = page.locator("head > *").evaluate_all("all => all.map(each => each.src ?? each.href ?? '')")
    first_sheet = next(place for place, address in enumerate(scripts) if ".css" in address)
    assert any("theme" in address for address in scripts[:first_sheet])
    page.get_by_label("主题").select_option("")
    assert page.evaluate(paper) == light


def test_without_scripts_the_theme_is_the_systems(new_context: CreateContextCallback) -> None:
    page = new_context(java_script_enabled=False, color_scheme="dark").new_page()
    page.goto("/en/")
    assert page.locator("#theme").is_hidden()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(251, 250, 246)"


def test_skip_link_is_first_and_leads_to_the_content(page: Page) -> None:
    page.goto("/en/models/")
    page.keyboard.press("Tab")
    assert page.locator(":focus").get_attribute("class") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_search_and_language_switch(new_context: CreateContextCallback, scripts: bool) -> None:
    page = new_context(java_script_enabled=scripts).new_page()
    page.goto("/en/")
    page.locator(".site-search input").fill("千问")
    page.keyboard.press("Enter")
    page.wait_for_url("**/en/search/?q=*")
    page.get_by_role("link", name="简体中文").click()
    page.wait_for_url("**/zh-hans/search/?q=*")
    assert page.get_by_role("banner").get_by_role("link", name="模型图鉴").is_visible()


def test_the_page_prints_without_its_navigation(page: Page) -> None:
    page.goto("/en/")
    page.emulate_media(media="print")
    assert not page.get_by_role("navigation", name="Main").is_visible()
    assert page.get_by_role("heading", level=1).is_visible()
