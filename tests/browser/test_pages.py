"""Model page and models list for every reader: language, theme, size of screen, print, and how heavy they are."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from typing import Any, Literal

import brotli
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Response, expect

from config.compression import QUALITY
from config.static_files import minified

MODEL = "models/llama-4-maverick-instruct/"
PAGES = (MODEL, f"{MODEL}?context=-1&weights=Q9_K", "models/", "models/?min_parameters=-5", "organizations/meta/")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
SCREENS: tuple[tuple[int, Literal["light", "dark"]], ...] = ((1280, "light"), (640, "light"), (320, "dark"))
KILOBYTE = 1000
HEADERS = 550  # bytes of an answer's headers, about, as `make bench ARGS=weight` counts them


@pytest.mark.parametrize("lang", ["en", "zh-hans"])
@pytest.mark.parametrize("path", PAGES)
def test_accessible_and_whole_at_every_size(page: Page, complaints: list[str], lang: str, path: str) -> None:
    page.goto(f"/{lang}/{path}", wait_until="networkidle")
    # A wide light screen, a narrow dark one, and what 200 % zoom leaves of a small laptop's.
    for width, theme in SCREENS:
        page.set_viewport_size({"width": width, "height": 720})
        page.emulate_media(color_scheme=theme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if width != 640:
            found = Axe().run(page, options=RULES)
            assert found.violations_count == 0, f"{width}, {theme}\n{found.generate_report()}"


MARKS = """marks => marks.filter(mark => getComputedStyle(mark).visibility === "visible").map(mark => {
    const range = document.createRange();
    range.selectNodeContents(mark);
    const box = range.getBoundingClientRect();
    return [box.left, box.right];
})"""
"""Where the words of the slider's visible marks begin and end."""


def test_longest_context_of_a_million_and_ten_thousand(page: Page) -> None:
    """Its mark at the slider's end is the widest there is (Qwen3.5): it touches no other, and leaves no edge."""
    page.goto(f"/en/{MODEL}")
    page.locator(".ticks li").last.evaluate("mark => { mark.textContent = '1,010,000'; mark.className = 'long' }")
    for width in (320, 390, 1280):
        page.set_viewport_size({"width": width, "height": 720})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        marks = page.locator(".ticks li").evaluate_all(MARKS)
        assert all(left[1] < right[0] for left, right in pairwise(marks)), width
        assert marks[-1][1] <= page.locator(".slider").evaluate("slider => slider.getBoundingClientRect().right")


def test_a_place_among_many_is_not_cut_off(page: Page) -> None:
    """The longest words there are, as of MMLU-Pro in Chinese: on a phone they stood beyond the edge."""
    page.goto(f"/zh-hans/{MODEL}")
    place = page.locator(".standing-of").first
    place.evaluate("cell => { cell.innerHTML = '第 115 名，共 132 个 <small>并列</small>' }")
    for width in (320, 360, 1366):
        page.set_viewport_size({"width": width, "height": 720})
        assert place.evaluate("cell => cell.scrollWidth <= cell.clientWidth"), width


@pytest.mark.parametrize("lang", ["en", "zh-hans"])
def test_cells_of_the_list_hold_their_words(page: Page, lang: str) -> None:
    page.goto(f"/{lang}/models/")
    for width in (320, 960, 1024, 1366):
        page.set_viewport_size({"width": width, "height": 720})
        cells = page.locator(".catalogued tbody td")
        wider = "cells => cells.filter(cell => cell.scrollWidth > cell.clientWidth + 1).map(cell => cell.innerText)"
        assert cells.evaluate_all(wider) == [], width
    # One character a line would be no column.
    page.set_viewport_size({"width": 1024, "height": 720})
    least = "cells => Math.min(...cells.map(cell => cell.clientWidth))"
    assert page.locator(".catalogued tbody td[data-label]:not(.n)").evaluate_all(least) > 40


@pytest.mark.parametrize(
    ("path", "table"),
    [(MODEL, "#growth .matrix"), ("compare/?m=deepseek-v3&m=gemma-3-27b-it&m=gpt-oss-20b", "#comparison .compare")],
)
def test_a_table_that_is_scrolled_keeps_its_row_headings_on_top(page: Page, path: str, table: str) -> None:
    page.set_viewport_size({"width": 360, "height": 720})
    page.goto(f"/en/{path}", wait_until="networkidle")
    page.locator(table).evaluate("table => { table.parentElement.scrollLeft = 9999; }")
    heading = page.locator(f"{table} tbody th[scope=row]").first
    heading.scroll_into_view_if_needed()
    assert page.locator(table).evaluate("table => table.parentElement.scrollLeft") > 0
    assert heading.evaluate(TOPMOST)


TOPMOST = """heading => {
    const box = heading.getBoundingClientRect();
    const at = x => document.elementFromPoint(box.x + x, box.y + box.height / 2);
    return [4, box.width - 4].every(x => heading.contains(at(x)));
}"""
"""Whether a reader sees that element, and nothing above it, at both of its ends."""


def test_forced_colours_and_print(page: Page, complaints: list[str]) -> None:
    page.goto(f"/en/{MODEL}")
    page.emulate_media(forced_colors="active")
    assert page.locator("#result .bar").evaluate("bar => getComputedStyle(bar.querySelector('rect')).fill") != "none"
    page.emulate_media(forced_colors="none", media="print")
    for gone in (".slider", ".step", ".recompute", "nav", ".to-full"):
        for element in page.locator(gone).all():
            expect(element).to_be_hidden()
    for kept in ("#result output", "#result .parts", "#context", "#growth .matrix", ".spec", ".sources"):
        expect(page.locator(kept).first).to_be_visible()
    assert page.locator("#context").input_value() == "8192"


@pytest.mark.parametrize("path", [f"en/{MODEL}", f"zh-hans/{MODEL}", "zh-hans/models/deepseek-v3/", "en/models/"])
def test_weight(page: Page, path: str) -> None:
    """In Brotli, as every current browser is served: pages as they pass, static files as they are collected."""
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))
    page.goto(f"/{path}", wait_until="networkidle")
    weights = Counter({"document": 0, "stylesheet": 0, "script": 0})
    for answer in answers:
        kind = answer.request.resource_type
        if kind in weights:
            body = answer.body() if kind == "document" else minified(answer.url, answer.body())
            weights[kind] += len(brotli.compress(body, quality=QUALITY if kind == "document" else 11))
    assert 0 < weights["document"] <= 25 * KILOBYTE, weights
    assert 0 < weights["stylesheet"] <= 12 * KILOBYTE, weights
    assert 0 < weights["script"] <= 23 * KILOBYTE, weights
    assert weights.total() + HEADERS * len(answers) <= 60 * KILOBYTE, weights


def test_list_is_filtered_as_one_types(page: Page, complaints: list[str]) -> None:
    page.goto("/zh-hans/models/", wait_until="networkidle")
    search, rows = page.locator("#q"), page.locator("#models tbody tr")
    before = rows.count()
    search.press_sequentially("llama 4", delay=30)
    expect(rows).to_have_count(2)
    assert before > 2
    assert page.evaluate("[document.activeElement.id, document.activeElement.selectionStart]") == ["q", 7]
    for key in ("Home", "ArrowRight"):
        search.press(key)
    search.press_sequentially("zq")
    expect(page).to_have_url(re.compile(r"q=lzqlama%204(&|$)"))
    expect(page.locator("#models .empty")).to_be_visible()
    assert page.evaluate("[document.activeElement.id, document.activeElement.selectionStart]") == ["q", 3]
    search.fill("")
    expect(rows).to_have_count(before)
    page.select_option("#organization", "deepseek")
    expect(rows).to_have_count(1)
    assert page.evaluate("document.activeElement.id") != "organization" or "organization=deepseek" in page.url
    page.locator("#min_parameters").fill("-5")
    page.locator("#min_parameters").press("Enter")
    expect(page.locator("#min_parameters_error")).to_contain_text("0")
    expect(rows).to_have_count(0)
    assert page.locator("#organization").input_value() == "deepseek"
    page.locator("#min_parameters").fill("1")
    page.locator("#min_parameters").press("Enter")
    expect(rows).to_have_count(1)
    expect(page.locator("#min_parameters_error")).to_be_empty()
    page.get_by_role("link", name="English").click()
    page.wait_for_url("**/en/models/?*organization=deepseek*")
    expect(rows).to_have_count(1)


def test_list_pages_and_back(page: Page, complaints: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.model_list.views.PAGE_SIZE", 3)
    page.goto("/en/models/", wait_until="networkidle")
    page.select_option("#sort", "name")
    names = page.locator("#models tbody th a")
    expect(page).to_have_url(re.compile("sort=name"))
    expect(names.first).to_have_text("DeepSeek-V3")
    first = names.all_inner_texts()
    page.get_by_role("link", name="Next").click()
    page.wait_for_url("**page=2**")
    second = names.all_inner_texts()
    assert not set(first) & set(second)
    assert page.locator("#sort").input_value() == "name"
    page.go_back()
    page.wait_for_url(re.compile(r"sort=name(?!.*page)"))
    expect(names).to_have_text(first)
    assert page.locator("#sort").input_value() == "name"


def test_list_whose_request_fails_shows_what_the_server_says(page: Page) -> None:
    page.goto("/en/models/", wait_until="networkidle")
    error: dict[str, Any] = {"status": 500, "body": "<h1>An error page</h1>", "content_type": "text/html"}
    page.route("**/models/?*", lambda route: route.fulfill(**error))
    page.locator("#q").fill("qwen")
    expect(page.get_by_role("heading", name="An error page")).to_be_visible()
    assert "q=qwen" in page.url


def test_nothing_is_kept_in_cookies(page: Page) -> None:
    for path in ("en/models/", f"zh-hans/{MODEL}"):
        page.goto(f"/{path}")
    kept: list[Any] = list(page.context.cookies())
    assert kept == []
