"""The first screen answers: name, figure, what runs it, the bar and the slider's beginning, without scrolling."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page
from pytest_playwright import CreateContextCallback

SCREENS = {"desktop": (1366, 768), "phone": (390, 844)}
LONGEST = "Mistral Large 3 675B-A41B Instruct 2512"  # no name of the catalogue is longer
MODELS = ("llama-4-maverick-instruct", "gpt-oss-20b", "gemma-3-27b-it", "lfm2-1-2b", "llama-3-2-11b-vision-instruct")
MINE = "?card=rtx-4090&cards=8"


@pytest.fixture(params=SCREENS)
def screen(request: pytest.FixtureRequest, new_context: CreateContextCallback) -> Page:
    width, height = SCREENS[request.param]
    phone = request.param == "phone"
    return new_context(viewport={"width": width, "height": height}, has_touch=phone, is_mobile=phone).new_page()


def last_on_screen(page: Page) -> float:
    """Where the slider's thumb ends, from the top of the page."""
    box = page.locator("#context-slider").bounding_box()
    assert box
    assert page.evaluate("scrollY") == 0
    return box["y"] + box["height"]


@pytest.mark.parametrize("lang", ["en", "zh-hans"])
@pytest.mark.parametrize("slug", MODELS)
def test_the_slider_is_on_the_first_screen(screen: Page, lang: str, slug: str) -> None:
    screen.goto(f"/{lang}/models/{slug}/{MINE}", wait_until="networkidle")
    height = screen.viewport_size["height"]  # type: ignore[index]
    seen = [screen.locator("h1"), screen.locator("#result output"), screen.locator(".verdicts"), screen.locator(".bar")]
    tops = [each.bounding_box()["y"] for each in seen]  # type: ignore[index]
    assert tops == sorted(tops)
    assert last_on_screen(screen) <= height
    facts = screen.locator(".facts").first.bounding_box()
    assert facts
    assert facts["y"] > last_on_screen(screen)


def test_a_long_name_leaves_it_there(screen: Page) -> None:
    screen.goto(f"/en/models/deepseek-v3/{MINE}", wait_until="networkidle")
    screen.evaluate("(name) => { document.querySelector('h1').textContent = name; }", LONGEST)
    assert last_on_screen(screen) <= screen.viewport_size["height"]  # type: ignore[index]


def test_nothing_jumps_while_the_context_changes(screen: Page) -> None:
    screen.goto(f"/en/models/llama-4-maverick-instruct/{MINE}", wait_until="networkidle")
    slider = screen.locator("#context-slider")
    slider.focus()
    tops = set()
    for key in ("Home", *["ArrowRight"] * 10):
        screen.keyboard.press(key)
        tops.add(round(last_on_screen(screen)))
        screen.wait_for_timeout(50)
    screen.wait_for_timeout(600)
    assert tops == {round(last_on_screen(screen))}


def test_skip_to_memory(page: Page) -> None:
    page.goto("/en/models/gpt-oss-20b/")
    for _ in range(2):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.url.endswith("#memory")
