"""What a page is on paper: whole, light, with what was chosen and not what was not, and with addresses of sources."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

A4 = 718
"""Pixels between the margins: 210 mm at 96 to the inch, less 1 cm on either side, as browsers print."""
MODEL = "models/llama-4-maverick-instruct/"
FOUR = "&".join(f"m={slug}" for slug in ("deepseek-v3", "gemma-3-27b-it", "gpt-oss-20b", "llama-4-maverick-instruct"))
PATHS = (
    MODEL,
    "models/",
    "benchmarks/",
    "benchmarks/mmlu-pro/",
    "accelerators/rtx-4090/",
    f"compare/?{FOUR}",
    "calculator/",
)
BEYOND = """width => [...document.querySelectorAll("main *")].filter(each => {
    const box = each.getBoundingClientRect();
    return box.width > 1 && box.right > width + 1;
}).map(each => each.outerHTML.slice(0, 80))"""
ADDRESS = "link => getComputedStyle(link, '::after').content"


@pytest.fixture
def paper(page: Page) -> Page:
    page.set_viewport_size({"width": A4, "height": 1000})
    page.emulate_media(media="print", color_scheme="dark")
    return page


@pytest.mark.parametrize("lang", ["en", "zh-hans"])
@pytest.mark.parametrize("path", PATHS)
def test_nothing_is_cut_off_or_dark(paper: Page, lang: str, path: str) -> None:
    paper.goto(f"/{lang}/{path}", wait_until="networkidle")
    assert paper.evaluate(BEYOND, A4) == []
    assert paper.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"
    assert paper.evaluate("getComputedStyle(document.body).backgroundColor") == "rgba(0, 0, 0, 0)"


def test_accuracy_is_whole(paper: Page, computed_cases: None) -> None:
    paper.goto("/en/accuracy/", wait_until="networkidle")
    assert paper.evaluate(BEYOND, A4) == []


def test_what_was_chosen_is_printed_and_empty_fields_are_not(paper: Page) -> None:
    chosen = "engine=vllm&weights=FP8&card=h20-141gb&cards=8&sequences=32&max_seqs=64"
    paper.goto(f"/en/calculator/?model=deepseek-v3&{chosen}", wait_until="networkidle")
    for name in ("context", "engine", "weights", "cards", "sequences", "max_seqs"):
        expect(paper.locator(f"#{name}")).to_be_visible()
    for name in ("tp", "pp", "batched_tokens", "util", "eager", "card2", "cards2"):
        expect(paper.locator(f"#{name}")).to_be_hidden()
    paper.emulate_media(media="screen")
    paper.locator("#pp").press_sequentially("2")
    paper.locator("#pp").press("Tab")
    paper.emulate_media(media="print")
    expect(paper.locator("#pp")).to_be_visible()  # typed, though it came empty


def test_nothing_chosen_prints_no_card(paper: Page) -> None:
    paper.goto(f"/en/{MODEL}", wait_until="networkidle")
    expect(paper.locator(".hardware .kind").first).to_be_hidden()
    for gone in (".fit-line a[href='#card']", "details:not([open]) > summary"):
        for element in paper.locator(gone).all():
            expect(element).to_be_hidden()


def test_addresses_of_sources(paper: Page) -> None:
    """Beside titles; where the address is what is written, it is not written twice."""
    paper.goto(f"/en/{MODEL}")
    titled = paper.locator(".sources a[href^=http]").first
    assert titled.get_attribute("href") in titled.evaluate(ADDRESS)
    paper.goto("/en/accelerators/rtx-4090/")
    address = paper.locator(".sources a[href^=http]").first
    assert address.inner_text() == address.get_attribute("href")
    assert address.evaluate(ADDRESS) == "none"
