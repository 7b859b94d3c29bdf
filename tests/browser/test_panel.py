"""The memory panel under a reader's hands: the figure, the controls and the address always agree."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect
from pytest_playwright import CreateContextCallback

from tests.browser.panel import FIGURE, MODEL, MODEL_MAXIMUM, OPENED, WRITTEN, Panel


@pytest.mark.parametrize(("lang", "unit"), [("en", "tokens"), ("zh-hans", "个 token")])
def test_slider_by_keyboard(page: Page, complaints: list[str], lang: str, unit: str) -> None:
    panel = Panel(page, lang)
    panel.slider.focus()
    for key, context in [("ArrowRight", 16384), ("Home", 1024), ("End", MODEL_MAXIMUM), ("PageDown", 524288)]:
        panel.recorded("said")
        page.keyboard.press(key)
        panel.agrees(context)
        assert page.evaluate("document.activeElement.id") == "context-slider"
        assert panel.slider.get_attribute("aria-valuetext") == f"{context:,} {unit}"
        said = panel.recorded("said")
        assert len(said) == 1
        assert panel.figure.inner_text() in said[0]
        assert f"{context:,}" in said[0]
    assert len(panel.asked) == 4  # one for each key
    shown = panel.figure.inner_text()
    page.reload()
    panel.agrees(524288)
    expect(panel.figure).to_have_text(shown)


def test_drag_with_the_mouse(page: Page, complaints: list[str]) -> None:
    panel = Panel(page)
    page.locator("#result .why summary").click()
    panel.slider.scroll_into_view_if_needed()
    page.evaluate(OPENED)
    panel.recorded("shifts"), panel.recorded("figures")
    address = page.url
    panel.drag(0.4, 0.98, 0.02, 0.7)
    # Held: all that the page brought along is that of the thumb, without asking; the address waits for the release.
    assert panel.field.input_value() == "131072"
    expect(page.locator("#result .also")).to_contain_text("131,072")
    assert panel.asked == []
    assert page.url == address
    written = page.evaluate(WRITTEN)
    page.mouse.up()
    panel.agrees(131072)
    assert len(panel.asked) == 1
    assert page.evaluate(WRITTEN) == written
    assert sum(panel.recorded("shifts")) < 0.02
    assert "" not in panel.recorded("figures")
    assert page.locator("#result .why").get_attribute("open") is not None
    expect(page.locator("#growth .here")).to_have_text(panel.figure.inner_text())


@pytest.mark.parametrize("query", ["", "?card=rtx-4090&cards=8", "?engine=vllm&card=h100-sxm-80gb&cards=4"])
@pytest.mark.parametrize("lang", ["en", "zh-hans"])
def test_every_stop_is_written_as_the_server_writes_it(
    page: Page, complaints: list[str], lang: str, query: str
) -> None:
    panel = Panel(page, lang, query)
    count = len((panel.slider.get_attribute("data-stops") or "").split())
    best = page.locator("#verdict-best .on").inner_text()
    for index in (0, 4, count - 1):  # tests/calculator/test_instant.py looks at the numbers of all
        # In the same frame: between the event and the next line nothing else runs.
        written = page.evaluate(
            """(index) => {
              const slider = document.getElementById("context-slider");
              slider.value = index;
              slider.dispatchEvent(new Event("input", { bubbles: true }));
              return WRITTEN();
            }""".replace("WRITTEN", f"({WRITTEN})"),
            index,
        )
        tokens = panel.field.input_value()
        page.goto(f"/{lang}/{MODEL}{query or '?'}&context={tokens}")
        served = page.evaluate(WRITTEN)
        if page.locator("#verdict-best .on").inner_text() != best:
            written.pop("best"), served.pop("best")
        assert written == served
        page.goto(f"/{lang}/{MODEL}{query}")


def test_one_request_for_a_settled_value(page: Page, complaints: list[str]) -> None:
    panel = Panel(page)
    panel.slider.focus()
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    panel.agrees(524288)
    page.wait_for_timeout(800)
    assert len(panel.asked) == 1
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowRight")  # there and back: it is shown already
    page.wait_for_timeout(800)
    panel.agrees(524288)
    assert len(panel.asked) == 1


def test_what_is_open_stays_open(page: Page, complaints: list[str]) -> None:
    panel = Panel(page)
    page.locator("#why summary").click()
    panel.slider.press("ArrowRight")
    panel.agrees(16384)
    expect(page.locator("#why")).to_have_attribute("open", "")
    page.get_by_role("link", name="简体中文").click()
    page.wait_for_url("**/zh-hans/**")
    expect(page.locator("#why")).to_have_attribute("open", "")
    page.locator("#why summary").click()
    page.get_by_role("link", name="English").click()
    page.wait_for_url("**/en/**")
    expect(page.locator("#why")).not_to_have_attribute("open", "")


def test_number_field_and_steps(page: Page, complaints: list[str]) -> None:
    panel = Panel(page)
    panel.field.fill("5000")
    panel.agrees(5000)  # without leaving the field
    page.get_by_role("button", name="Longer context").click()
    panel.agrees(8192)
    page.get_by_role("button", name="Shorter context").click()
    panel.agrees(4096)
    panel.field.fill("")
    panel.field.press("Tab")
    panel.agrees(8192)  # what the page came with
    panel.field.fill("65536")
    panel.field.press("Enter")
    panel.agrees(65536)
    assert page.evaluate("document.activeElement.id") == "context"


@pytest.mark.parametrize(
    ("lang", "said"),
    [("en", "more than this model's maximum of 1,048,576"), ("zh-hans", "超过了这个模型的上限 1,048,576")],
)
def test_wrong_number_is_said_and_leaves_no_figure(page: Page, complaints: list[str], lang: str, said: str) -> None:
    panel = Panel(page, lang)
    page.select_option("#weights", "Q6_K")
    for wrong in ("2000000", "-5"):
        panel.field.fill(wrong)
        panel.field.press("Enter")
        panel.settle()
        expect(panel.figure).to_have_text("—")
        expect(page.locator("#growth")).to_be_hidden()
        expect(page.locator("#context_error")).not_to_be_empty()
        assert panel.field.get_attribute("aria-invalid") == "true"
        assert page.locator(f"#{panel.field.get_attribute('aria-describedby')}").is_visible()
        assert page.locator("#weights").input_value() == "Q6_K"
        assert f"context={wrong}" in page.url
        if wrong == "2000000":
            expect(page.locator("#announcement")).to_contain_text(said)
            expect(page.locator("#context_error")).to_contain_text(said)
    panel.slider.press("Home")
    panel.agrees(1024)
    expect(page.locator("#context_error")).to_be_empty()
    assert panel.field.get_attribute("aria-invalid") is None


def test_new_engine_brings_its_formats(page: Page, complaints: list[str]) -> None:
    panel = Panel(page)
    for engine, first in [("vllm", "BF16"), ("llama.cpp", "BF16"), ("transformers", "BF16")]:
        page.locator("#engine").focus()
        page.select_option("#engine", engine)
        panel.agrees(8192)
        assert page.locator("#weights").input_value() == first
        assert page.evaluate("document.activeElement.id") == "engine"
        assert "".join(page.locator(".field-error").all_inner_texts()).strip() == ""
        expect(page.locator("#growth caption")).to_contain_text(re.compile(engine, re.IGNORECASE))


def test_back_forward_and_the_other_language(page: Page, complaints: list[str]) -> None:
    panel = Panel(page)
    panel.slider.press("ArrowRight")
    panel.agrees(16384)
    page.locator(".facts .src a").first.click()  # a footnote makes an entry of its own
    panel.slider.press("End")
    panel.agrees(MODEL_MAXIMUM)
    page.go_back()
    page.wait_for_load_state("networkidle")
    panel.agrees(16384)
    page.go_forward()
    page.wait_for_load_state("networkidle")
    panel.agrees(MODEL_MAXIMUM)
    page.get_by_role("link", name="简体中文").click()
    page.wait_for_url("**/zh-hans/**")
    panel.agrees(MODEL_MAXIMUM)
    page.go_back()
    page.wait_for_url("**/en/**")
    panel.agrees(MODEL_MAXIMUM)


def test_touch_on_a_small_screen(new_context: CreateContextCallback) -> None:
    page = new_context(has_touch=True, is_mobile=True, viewport={"width": 360, "height": 720}).new_page()
    panel = Panel(page, "zh-hans")
    panel.slider.scroll_into_view_if_needed()
    box = panel.slider.bounding_box()
    assert box
    panel.recorded("shifts"), panel.recorded("figures")
    y = box["y"] + box["height"] / 2
    touch = page.context.new_cdp_session(page)
    moves = [box["x"] + box["width"] * part / 40 for part in range(15, 39)]
    for kind, x in [("touchStart", moves[0]), *(("touchMove", x) for x in moves[1:]), ("touchEnd", None)]:
        points = [] if x is None else [{"x": x, "y": y}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        page.wait_for_timeout(15)
    panel.agrees(MODEL_MAXIMUM)
    assert sum(panel.recorded("shifts")) < 0.02
    assert "" not in panel.recorded("figures")
    moved = panel.slider.bounding_box()
    assert moved
    assert moved["y"] == box["y"]  # what is above the slider keeps its height


def test_what_was_changed_before_the_scripts_came(page: Page, complaints: list[str]) -> None:
    held: list[Route] = []
    page.route("**/htmx-2*", lambda route: held.append(route))
    page.goto(f"/en/{MODEL}", wait_until="commit")
    page.select_option("#weights", "Q8_0")
    expect(page.locator("#growth")).to_be_attached()
    held[0].continue_()
    expect(page).to_have_url(re.compile("weights=Q8_0&.*context=8192&"))
    expect(page.locator("#growth .here")).to_have_text(page.locator(FIGURE).inner_text())
    assert page.locator("#growth tr:has(.here) th").inner_text() == "Q8_0"


@pytest.mark.parametrize(("lang", "submit"), [("en", "Recompute"), ("zh-hans", "重新计算")])
def test_without_scripts(new_context: CreateContextCallback, lang: str, submit: str) -> None:
    page = new_context(java_script_enabled=False).new_page()
    page.goto(f"/{lang}/{MODEL}")
    for control in page.locator(".slider, .ticks, .step").all():
        expect(control).to_be_hidden()
    before = page.locator(FIGURE).inner_text()
    page.locator("#context").fill("131072")
    page.select_option("#weights", "Q8_0")
    page.get_by_role("button", name=submit).click()
    page.wait_for_url("**context=131072**")
    assert page.locator("#weights").input_value() == "Q8_0"
    assert page.locator(FIGURE).inner_text() != before
    page.locator("#context").fill("0")
    page.get_by_role("button", name=submit).click()
    page.wait_for_url("**context=0**")
    expect(page.locator(FIGURE)).to_have_text("—")
    expect(page.locator("#context_error")).not_to_be_empty()
    expect(page.locator(f"#{page.locator('#context').get_attribute('aria-describedby')}")).to_be_visible()
