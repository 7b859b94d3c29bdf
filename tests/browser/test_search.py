"""Suggestions while typing, the list of cards that is typed into, and whose hardware a link shows."""

from __future__ import annotations

import json
import re
from time import sleep

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route, expect
from pytest_playwright import CreateContextCallback

MODEL = "/en/models/llama-3-1-8b-instruct/"
KEPT = "JSON.parse(localStorage.getItem('hardware'))"


def test_suggestions_by_keyboard(page: Page, complaints: list[str]) -> None:
    page.goto("/en/")
    field = page.get_by_role("banner").get_by_role("combobox")
    field.press_sequentially("llama 4", delay=20)
    expect(field).to_have_attribute("aria-expanded", "true")
    options = page.locator(".site-search [role=option]")
    expect(options.first).to_contain_text("Llama 4")
    expect(page.get_by_role("group", name="Models").first).to_be_visible()
    field.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    assert field.get_attribute("aria-activedescendant") == options.first.get_attribute("id")
    field.press("ArrowUp")
    expect(options.last).to_have_attribute("aria-selected", "true")
    assert Axe().run(page).response["violations"] == []
    field.press("Escape")
    expect(field).to_have_attribute("aria-expanded", "false")
    field.press("ArrowDown")
    field.press("Enter")
    page.wait_for_url(re.compile(r"/en/families/llama-4/"))


def test_keys_may_be_faster_than_the_list(page: Page, complaints: list[str]) -> None:
    """Enter after an arrow means what the arrow is about to mark, though the server has not answered yet."""

    def late(route: Route) -> None:
        sleep(0.3)
        route.continue_()

    page.goto("/en/")
    page.route("**/search/suggestions/*", late)
    field = page.get_by_role("banner").get_by_role("combobox")
    field.fill("llama 4")
    field.press("ArrowDown")
    field.press("Enter")
    page.wait_for_url(re.compile(r"/en/families/llama-4/"))


def test_enter_without_a_choice_is_the_plain_form(page: Page, complaints: list[str]) -> None:
    page.goto("/zh-hans/models/")
    page.get_by_role("banner").get_by_role("combobox").focus()
    page.keyboard.type("deepseak")
    page.keyboard.press("Enter")
    page.wait_for_url("**/zh-hans/search/?q=deepseak")
    expect(page.get_by_role("status").filter(has_text="deepseek")).to_be_visible()
    page.get_by_role("link", name="DeepSeek-V3", exact=True).click()
    page.wait_for_url("**/zh-hans/models/deepseek-v3/")


@pytest.mark.parametrize(
    ("text", "slug"), [("4090", "rtx-4090"), ("昇腾 910B", "ascend-910b2-64gb"), ("m3 max 128", "apple-m3-max-128gb")]
)
def test_a_card_is_found_by_typing(page: Page, complaints: list[str], text: str, slug: str) -> None:
    page.goto(MODEL, wait_until="networkidle")
    field = page.get_by_role("combobox", name="My hardware")
    field.click()
    expect(page.get_by_role("group", name="NVIDIA")).to_be_visible()
    page.keyboard.type(text)
    page.keyboard.press("ArrowDown")  # faster than the list
    option = page.locator("[aria-selected=true]")
    expect(option).to_have_attribute("data-slug", slug)
    expect(page.locator(".suggestions [role=group]")).to_have_count(0)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"card={slug}"))
    expect(page.locator("#card")).to_have_value(slug)
    assert page.evaluate(KEPT)["card"] == slug
    expect(page.locator("#cards-that-fit")).to_be_visible()  # typing alone left the answer alone
    field.click()
    expect(page.get_by_role("group", name="Recently chosen").get_by_role("option")).to_have_count(1)
    assert Axe().run(page).response["violations"] == []
    page.keyboard.press("Escape")
    field.fill("nothing like it")
    expect(page.get_by_text("No card has this name")).to_be_visible()
    page.keyboard.press("Tab")
    expect(field).to_have_value(re.compile(".+"))
    expect(page.locator("#card")).to_have_value(slug)
    field.fill("")
    page.keyboard.press("Tab")
    expect(page.locator("#card")).to_have_value("")
    expect(page).not_to_have_url(re.compile("card=[a-z]"))


def test_enter_takes_the_best_card(page: Page, complaints: list[str]) -> None:
    page.goto("/en/models/", wait_until="networkidle")
    page.get_by_role("combobox", name="My hardware").click()
    page.keyboard.type("rtx4090")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("card=rtx-4090"))
    expect(page.locator(".list .badge").first).to_be_visible()


def test_without_scripts_the_list_and_the_form_are_plain(new_context: CreateContextCallback) -> None:
    page = new_context(java_script_enabled=False).new_page()
    page.goto(MODEL)
    page.locator("#card").select_option("rtx-4090")
    page.get_by_role("button", name="Recompute").click()
    page.wait_for_url("**card=rtx-4090**")
    page.goto("/en/models/")
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.locator("#organization")).to_be_hidden()
    page.get_by_text("Filters and order").click()
    expect(page.locator("#organization")).to_be_visible()


def test_a_link_shows_its_cards_and_leaves_mine(page: Page, complaints: list[str]) -> None:
    mine = {"card": "rtx-3090", "cards": "2"}
    page.goto(MODEL)
    page.evaluate(f"localStorage.setItem('hardware', '{json.dumps(mine)}')")
    page.goto(f"{MODEL}?card=rtx-4090&cards=4")
    notice = page.locator(".whose")
    expect(notice).to_contain_text("came with the link")
    expect(notice).to_contain_text("2 × GeForce RTX 3090")
    assert page.evaluate(KEPT) == mine
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Models").click()
    expect(page).to_have_url(re.compile("card=rtx-4090&cards=4"))  # what is shown goes along
    assert page.evaluate(KEPT) == mine
    page.get_by_role("link", name="Show mine").click()
    expect(page).to_have_url(re.compile("card=rtx-3090&cards=2"))
    expect(notice).to_be_hidden()
    page.goto(f"{MODEL}?card=rtx-4090")
    page.get_by_role("button", name="Keep it as mine").click()
    expect(notice).to_be_hidden()
    assert page.evaluate(KEPT) == {"card": "rtx-4090", "cards": "1"}


@pytest.mark.parametrize("lang", ["en", "zh-hans"])
@pytest.mark.parametrize("path", ["models/", "accelerators/", "models/?memory=24&sort=-parameters"])
def test_a_result_is_on_the_first_screen_of_a_phone(page: Page, complaints: list[str], lang: str, path: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"/{lang}/{path}", wait_until="networkidle")
    first = page.locator(".models tbody tr").first
    name = first.locator("th").bounding_box()
    assert name
    assert name["y"] + name["height"] <= 844
    count = page.locator("[data-active]")
    if "memory" in path:
        expect(count).to_contain_text("1")
    else:
        expect(count).to_be_hidden()
    page.locator(".fold > summary").click()
    assert Axe().run(page).response["violations"] == []


def test_ticks_are_counted_where_they_can_be_seen(page: Page, complaints: list[str]) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/en/models/", wait_until="networkidle")
    for tick in page.locator(".tick").all()[:3]:
        tick.click()
    page.evaluate("scrollTo(0, 0)")
    expect(page.locator("[data-ticked]")).to_have_text("3 of 4")
    expect(page.get_by_role("button", name="Compare the ticked models")).to_be_in_viewport()
    page.get_by_role("button", name="Compare the ticked models").click()
    expect(page).to_have_url(re.compile(r"(m=[^&]+.*){3}"))


@pytest.mark.parametrize("width", [320, 360, 520, 600, 610, 900, 1366])
def test_what_is_suggested_lies_on_the_screen(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 700})
    page.goto("/en/")
    page.locator("header [name=q]").fill("llama")
    box = page.locator("header .suggestions")
    expect(box).to_be_visible()
    found = box.bounding_box()
    assert found is not None
    assert found["x"] >= 0
    assert found["x"] + found["width"] <= width
