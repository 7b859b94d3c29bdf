"""The memory panel where answers come late, or not at all: no figure stands beside settings that are not its own."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import RequestFactory
from playwright.sync_api import Page, Route, expect

from config import errors
from tests.browser.panel import MODEL, MODEL_MAXIMUM, OPENED, Panel


def test_new_engine_overtaken_by_another_change(page: Page, complaints: list[str]) -> None:
    panel = Panel(page)
    held: list[Route] = []
    page.route(f"**/{MODEL}?*", lambda route: held.append(route) if not held else route.continue_())
    page.select_option("#engine", "vllm")
    page.wait_for_timeout(300)
    panel.slider.press("End")
    panel.agrees(MODEL_MAXIMUM)
    assert page.locator("#weights").input_value() == "BF16"
    assert len(held) == 1


def test_late_answer_does_not_replace_a_newer_one(page: Page, complaints: list[str]) -> None:
    panel = Panel(page)
    late: list[Route] = []
    page.route("**/*context=1024*", lambda route: late.append(route))
    panel.slider.press("Home")
    expect(page.locator("#growth")).to_be_hidden()  # slow: what the page did not bring along is gone
    expect(panel.figure).to_be_visible()  # what it did bring along is that of the thumb
    expect(page.locator("#result .also")).to_contain_text("1,024")
    panel.slider.press("End")
    panel.agrees(MODEL_MAXIMUM)
    assert len(late) == 1
    late[0].continue_()
    page.wait_for_timeout(400)
    panel.agrees(MODEL_MAXIMUM)


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(lambda route: route.fulfill(status=500, body="<p>7.0 GiB</p>"), id="500"),
        pytest.param(lambda route: route.abort("internetdisconnected"), id="offline"),
    ],
)
@pytest.mark.parametrize("dragged", [True, False], ids=["dragged", "chosen"])
def test_failed_request(page: Page, complaints: list[str], failure: Callable[[Route], None], dragged: bool) -> None:
    panel = Panel(page)
    page.locator("#result .why summary").click()
    page.evaluate(OPENED)
    panel.recorded("shifts")
    page.route(f"**/{MODEL}?*", failure)
    if dragged:
        panel.drag(0.4, 0.9)
        page.mouse.up()
    else:
        page.select_option("#kv", "q8_0")
    expect(panel.alert).to_be_visible()
    visible = page.locator(".instrument").inner_text() + page.locator("#growth").inner_text()
    assert not re.search(r"\d GiB|\d B\b", visible)
    expect(panel.figure).to_be_hidden()
    assert sum(panel.recorded("shifts")) < 0.02
    page.unroute(f"**/{MODEL}?*")
    page.get_by_role("button", name="Try again").click()
    panel.agrees(524288 if dragged else 8192)
    expect(panel.figure).to_be_visible()
    expect(page.locator("#growth")).to_be_visible()
    expect(panel.slider).to_be_focused()  # a moment after the figure is there
    assert complaints
    complaints.clear()


@pytest.mark.parametrize(
    ("lang", "own", "said"),
    [
        ("en", "The server did not answer.", "takes long to compute. Please try again in 41 seconds."),
        ("zh-hans", "服务器没有响应", "请在 41 秒后重试：这个地址请求的内容计算耗时过长。"),
    ],
)
def test_a_refusal_says_why_and_when_to_try_again(
    page: Page, complaints: list[str], rf: RequestFactory, lang: str, own: str, said: str
) -> None:
    """By the site, not by a proxy, whose page has no sentence of ours."""
    panel = Panel(page, lang)
    refused = errors.too_many(rf.get(f"/{lang}/"), errors.TOO_MUCH_WORK, 41).content.decode()

    def answering(body: str) -> Callable[[Route], None]:
        return lambda route: route.fulfill(status=429, body=body)

    by_a_proxy = "<h1>429 Too Many Requests</h1>"
    for body, told, other in ((refused, said, own), (by_a_proxy, own, said), (refused, said, own)):
        page.route(f"**/{MODEL}?*", answering(body))
        if panel.alert.is_visible():
            panel.alert.locator("button").click()
        else:
            page.select_option("#kv", "q8_0")
        expect(panel.alert).to_contain_text(told)
        expect(panel.alert).not_to_contain_text(other)
        page.unroute(f"**/{MODEL}?*")
    assert complaints
    complaints.clear()
