"""From a card to a model and its command, in as few steps as a reader needs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from pytest_django import DjangoDbBlocker
from pytest_playwright import CreateContextCallback

from catalog.models import DataChange, LanguageModel, Place, Release

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


@pytest.fixture(scope="module", autouse=True)
def boards(catalogue: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The shipped models ranked: overall the largest first, in coding the smallest."""
    with django_db_blocker.unblock():
        rows = list(LanguageModel.objects.order_by("-total_parameters"))
        for scope, order in (("overall", rows), ("coding", rows[::-1])):
            release = Release.objects.create(
                scope=scope, date=date(2026, 11, 1), method="1", input_hash="", num_scores=9, num_ranked=len(rows),
                document=b"",
            )  # fmt: skip
            Place.objects.bulk_create(
                Place(release=release, model=row, rank=at, low=at, high=at + 1, tier=1, index=95 - 5 * at,
                      num_benchmarks=9, num_categories=4)
                for at, row in enumerate(order, start=1)
            )  # fmt: skip
        DataChange.record()
        yield


@pytest.mark.parametrize(
    ("path", "first"),
    [("/en/", "Best models for GeForce RTX 4090 (24 GB)"), ("/zh-hans/", "GeForce RTX 4090（24 GB）能跑的最佳模型")],
)
def test_best_coding_model_of_a_card_with_its_command_in_three_steps(
    page: Page, complaints: list[str], path: str, first: str
) -> None:
    """Card, board, copy: 32K of context is what home asks for unasked."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(path)
    page.locator("#card").select_option("rtx-4090")  # 1
    expect(page).to_have_url(re.compile("card=rtx-4090"))
    page.locator("#board").select_option("coding")  # 2
    expect(page.locator("#best h2")).to_have_text(first)
    row = page.locator("#best tbody").first
    expect(row.locator("th")).to_contain_text("LFM2 1.2B")
    row.locator(".copy").click()  # 3
    expect(page.locator("#copied")).not_to_be_empty()
    command = page.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch(r"llama-server -hf \S+ -c 32768 .*", command)
    # The button goes back to what it was: whose command it copies is for screen readers alone.
    expect(page.locator("#copied")).to_be_empty()
    expect(row.locator(".copy > .visually-hidden")).to_have_count(1)

    page.goto(path)  # the cards are remembered
    expect(page).to_have_url(re.compile("card=rtx-4090"))
    assert page.context.cookies() == []


def test_the_answer_is_that_of_the_page_behind_it(page: Page, complaints: list[str]) -> None:
    page.goto("/en/?card=rtx-4090")
    row = page.locator("#best tbody").first
    room = row.locator(".fit-of").inner_text()
    row.get_by_role("link").first.click()
    expect(page.locator("#result .fit-line")).to_contain_text(re.sub(r"^\s*Fits\s*", "", room).strip())


def test_a_wrong_answer_is_said_and_put_right(page: Page) -> None:
    page.goto("/en/?card=rtx-4090")
    page.locator("#cards").fill("0")
    page.locator("#cards").press("Tab")
    expect(page.locator("#cards_error")).not_to_be_empty()
    expect(page.locator("#best tbody")).to_have_count(0)
    page.locator("#cards").fill("2")
    page.locator("#cards").press("Tab")
    expect(page.locator("#best h2")).to_contain_text("2 × GeForce RTX 4090 (48 GB)")
    expect(page.locator("#cards_error")).to_be_empty()


def test_it_is_a_plain_form_without_scripts(new_context: CreateContextCallback) -> None:
    page = new_context(java_script_enabled=False).new_page()
    page.goto("/en/")
    page.locator("#card").select_option("rtx-4090")
    page.locator("#board").select_option("coding")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#best th[scope=row]").first).to_contain_text("LFM2 1.2B")
    expect(page.locator("#card")).to_have_value("rtx-4090")


@pytest.mark.parametrize("path", ["/en/", "/zh-hans/"])
@pytest.mark.parametrize(("width", "height"), [(1366, 768), (390, 844)])
def test_the_first_screen_has_the_question_and_an_answer(page: Page, path: str, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.goto(path)
    expect(page.locator("#question [role=combobox]").first).to_be_in_viewport(ratio=1)
    first = page.locator("#best tbody").first
    expect(first.locator(".copy")).to_be_in_viewport(ratio=1)


def test_the_card_s_page_changes_answer_and_table_together(page: Page, complaints: list[str]) -> None:
    page.goto("/en/accelerators/rtx-4090/")
    expect(page.locator("#best th[scope=row]").first).to_contain_text("Gemma 3 27B")
    page.locator("#board").select_option("coding")
    expect(page.locator("#best th[scope=row]").first).to_contain_text("LFM2 1.2B")
    page.locator("#sort").select_option("rank:coding")
    expect(page.locator("#runs tbody tr").first).to_contain_text("LFM2 1.2B")
    expect(page).to_have_url(re.compile("board=coding.*sort=rank%3Acoding"))
    page.locator("#q").press_sequentially("gemma", delay=20)
    expect(page.locator("#runs tbody tr")).to_have_count(1)


def test_only_what_fits_narrows_a_board_and_the_chart_has_the_card(page: Page, complaints: list[str]) -> None:
    page.goto("/en/benchmarks/?card=rtx-4090")
    expect(page.locator(".scatter line.card")).to_be_attached()
    point = page.locator(".scatter a.point:not([tabindex])").first
    target = point.locator(".hit").bounding_box()
    assert target
    assert min(target["width"], target["height"]) >= 24
    point.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/models/.*card=rtx-4090"))
    page.go_back()
    page.locator("#fits").check()
    expect(page).to_have_url(re.compile("fits=1"))
    expect(page.locator("#board .badge.over")).to_have_count(0)
    expect(page.locator("#board .badge").first).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "path",
    [
        "/en/?card=rtx-4090",
        "/zh-hans/",
        "/en/?engine=transformers",
        "/zh-hans/accelerators/rtx-4090/?sort=rank:overall",
        "/en/benchmarks/?card=rtx-4090",
        "/zh-hans/models/?card=rtx-4090&fits=1&sort=rank:coding&context=32768",
        "/en/benchmarks/mmlu/?card=rtx-4090&fits=1",
    ],
)
def test_no_barriers_and_no_sideways_scrolling(page: Page, path: str, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert Axe().run(page, options=RULES).response["violations"] == []
