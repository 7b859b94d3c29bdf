"""A draft head is pasted beside a model, found to be another model's, and taken away again."""

from __future__ import annotations

import json

from playwright.sync_api import Page, expect

from tests.calculator.memory.test_draft_heads import EAGLE3

FIELD, FIGURE, FAULT = "#draft_config", "#result .figure output", "#draft_config_error"
HEAD = EAGLE3 | {"vocab_size": 128256}  # of Llama 3.1 8B


def given(page: Page, text: str) -> None:
    page.locator(FIELD).fill(text)
    page.locator(FIELD).blur()


def test_a_head_is_counted_refused_and_taken_away(page: Page, complaints: list[str]) -> None:
    page.goto("/en/calculator/?model=llama-3-1-8b-instruct&engine=vllm")
    alone = page.locator(FIGURE).inner_text()
    page.locator(f"details:has({FIELD}) > summary").click()
    given(page, json.dumps(HEAD | {"hidden_size": 5120}))
    expect(page.locator(FAULT)).to_contain_text("5,120")
    given(page, "")  # what was shown before: it is asked for again all the same
    expect(page.locator(FAULT)).to_be_empty()
    expect(page.locator(FIGURE)).to_have_text(alone)
    given(page, json.dumps(HEAD, indent=2))
    expect(page.locator("#mtp")).to_have_value("3")
    expect(page.locator(FIGURE)).not_to_have_text(alone)
    given(page, "")
    expect(page.locator("#mtp")).to_have_value("")
    expect(page.locator(FIGURE)).to_have_text(alone)
