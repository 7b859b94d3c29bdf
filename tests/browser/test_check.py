"""A log pasted by a reader: the table beside it, in both languages, with and without scripts, on a narrow screen."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from pytest_playwright import CreateContextCallback

from tests.browser.test_hardware import RULES
from tests.calculator.logs.samples import sample


@pytest.mark.parametrize(
    ("lang", "button", "exact", "heading"),
    [("en", "Check", "exact", "Predicted beside printed"), ("zh-hans", "检查", "一致", "预测与实际对照")],
)
def test_paste_and_see_the_table(
    page: Page, complaints: list[str], lang: str, button: str, exact: str, heading: str
) -> None:
    page.goto(f"/{lang}/check/")
    page.locator("#log").fill(sample("llama-server.log"))
    page.get_by_role("button", name=button, exact=True).click()
    expect(page.get_by_role("heading", name=heading)).to_be_visible()
    row = page.locator(".check-rows tr").filter(has_text="4,403.49 MiB").first
    expect(row).to_contain_text(exact)
    assert page.locator("#log").input_value() == sample("llama-server.log")
    found = Axe().run(page, options=RULES)
    assert found.violations_count == 0, found.generate_report()
    assert page.context.cookies() == []


@pytest.mark.parametrize("lang", ["en", "zh-hans"])
def test_without_scripts_on_a_narrow_screen(new_context: CreateContextCallback, lang: str) -> None:
    page = new_context(java_script_enabled=False, viewport={"width": 360, "height": 720}).new_page()
    page.goto(f"/{lang}/check/")
    page.locator("#log").fill("nothing of an engine")
    page.locator("#check button.primary").click()
    expect(page.locator("#log-errors")).to_be_visible()
    page.locator("#log").fill(sample("llama-server.log"))
    page.locator("#check button.primary").click()
    expect(page.locator(".check-rows")).to_be_visible()
    width = page.locator("main").evaluate("element => element.ownerDocument.documentElement.scrollWidth")
    assert width <= 360
    with page.expect_download() as download:
        page.locator('button[name="case"]').click()
    assert download.value.suggested_filename == "reference-case.jsonl"
