"""My hardware, the full calculator and the copy button under a reader's hands."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

MODEL = "/en/models/llama-4-maverick-instruct/"
CALCULATOR = "/en/calculator/?model=llama-3-1-8b-instruct"
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
CONFIG = (
    '{"model_type": "llama", "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,'
    ' "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 128256, "max_position_embeddings": 131072}'
)


def test_cards_chosen_once_are_in_every_address_until_cleared(page: Page, complaints: list[str]) -> None:
    page.goto(MODEL)
    page.locator("#card").select_option("h100-sxm-80gb")
    page.locator("#cards").fill("4")
    page.locator("#cards").press("Tab")
    expect(page.locator("#result .fit-line")).to_contain_text("4 × H100")
    expect(page).to_have_url(re.compile("card=h100-sxm-80gb.*cards=4"))
    expect(page.locator(".matrix td.fit").first).to_be_visible()

    page.get_by_role("navigation", name="Main").get_by_role("link", name="Models").click()
    expect(page).to_have_url(re.compile("/models/.*card=h100-sxm-80gb"))
    expect(page.locator(".list .badge").first).to_be_visible()

    page.goto("/en/models/llama-3-1-8b-instruct/")  # typed: the script opens it again with the cards
    expect(page).to_have_url(re.compile("card=h100-sxm-80gb"))
    page.get_by_role("link", name="Clear my hardware").click()
    expect(page).not_to_have_url(re.compile("card="))
    page.goto("/en/models/")
    expect(page.locator(".list")).to_be_visible()
    expect(page).not_to_have_url(re.compile("card="))
    assert page.context.cookies() == []


def test_a_second_kind_of_card_goes_along(page: Page, complaints: list[str]) -> None:
    page.goto(CALCULATOR)
    page.locator("#card").select_option("rtx-4090")
    page.locator("#card2").select_option("h100-sxm-80gb")
    expect(page.locator("#result .fit-line")).to_contain_text("RTX 4090 + H100")
    expect(page).to_have_url(re.compile("card2=h100-sxm-80gb"))
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Models").click()
    expect(page).to_have_url(re.compile("card=rtx-4090&cards=1&card2=h100-sxm-80gb"))
    expect(page.locator("#card2")).to_have_value("h100-sxm-80gb")
    page.get_by_role("link", name="Clear my hardware").click()
    expect(page).not_to_have_url(re.compile("card"))


def test_the_calculator_follows_its_controls(page: Page, complaints: list[str]) -> None:
    page.goto(CALCULATOR)
    page.locator("#card").select_option("rtx-4090")
    expect(page.locator("#answers h2").first).to_contain_text("RTX 4090")
    page.locator("#engine").select_option("vllm")
    expect(page.locator("#weights")).to_have_value("BF16")
    expect(page.locator("#answers")).to_contain_text("vllm serve")
    expect(page).to_have_url(re.compile("engine=vllm.*weights=BF16"))
    figure = page.locator("#result .figure output").inner_text()
    page.reload()
    expect(page.locator("#result .figure output")).to_have_text(figure)


def test_the_search_lists_as_one_types(page: Page, complaints: list[str]) -> None:
    page.goto("/en/calculator/")
    page.get_by_role("searchbox", name="Another model", exact=True).press_sequentially("gemma", delay=20)
    page.locator("#found").get_by_role("link", name="Gemma 3 27B").click()
    expect(page.locator("#memory")).to_contain_text("Gemma 3 27B")


def test_a_command_is_copied_and_said(page: Page, complaints: list[str]) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{CALCULATOR}&card=rtx-4090")
    page.locator(".command .copy").first.click()
    expect(page.locator("#copied")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator("#command-1").inner_text()


def test_a_pasted_config_is_computed_and_recomputed(page: Page, complaints: list[str]) -> None:
    page.goto("/en/calculator/?source=config")
    page.locator("#config").fill('{"model_type": "llama"')
    page.get_by_role("button", name="Compute").click()
    expect(page.locator("#config-errors")).to_contain_text("not valid JSON")
    page.locator("#config").fill(CONFIG)
    page.get_by_role("button", name="Compute").click()
    expect(page.locator("#result .figure output")).to_be_visible()
    before = page.locator("#result .figure output").inner_text()
    page.locator("#weights").select_option("Q8_0")
    expect(page.locator("#result .figure output")).not_to_have_text(before)
    assert page.locator("#config").input_value() == CONFIG


def test_what_helps_a_pasted_config_is_one_click(page: Page, complaints: list[str]) -> None:
    page.goto("/en/calculator/?source=config&card=rtx-4090&weights=F16")
    page.locator("#config").fill(CONFIG)
    page.get_by_role("button", name="Compute").click()
    page.locator("#weights").select_option("F16")
    page.locator("#context").fill("131072")
    page.locator("#context").press("Enter")
    page.locator("#card").evaluate(
        "field => { field.value = 'rtx-4090'; field.dispatchEvent(new Event('change', { bubbles: true })) }"
    )
    change = page.locator(".fixes li").filter(has_text="Take the weights in")
    expect(change.get_by_role("link")).to_be_visible()
    expect(change).to_contain_text("above that of 16 bits")
    weights = change.get_by_role("link").inner_text().rpartition(" ")[2]
    change.get_by_role("link").click()
    expect(page.locator("#weights")).to_have_value(weights)
    assert page.locator("#config").input_value() == CONFIG
    expect(page.locator("#verdict-mine .badge")).not_to_have_text("Does not fit")


def test_an_answer_to_a_pasted_config_is_followed_once(page: Page, complaints: list[str]) -> None:
    """Not by each of some fifty parts that it replaces: each time all was compressed anew for the address, of which
    browsers let a page write 200 in half a minute, and the links of what helps were made anew under a reader's hand."""
    page.add_init_script(
        """window.kept = 0;
        const replace = history.replaceState;
        history.replaceState = function (...state) { window.kept += 1; return replace.apply(this, state); };"""
    )
    page.goto("/en/calculator/?source=config")
    page.locator("#config").fill(CONFIG)
    page.get_by_role("button", name="Compute").click()
    expect(page).to_have_url(re.compile("#config="))
    assert page.evaluate("kept") == 1
    page.locator("#weights").select_option("Q8_0")
    expect(page).to_have_url(re.compile("weights=Q8_0.*#config="))
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(300)
    assert page.evaluate("kept") == 2


def test_what_stands_beside_a_config_goes_along_in_the_address(page: Page, complaints: list[str]) -> None:
    """Behind the #, like the config itself, and in no query, which servers log."""
    config = (
        '{"model_type": "llama", "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,'
        ' "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 128256, "max_position_embeddings": 131072}'
    )
    page.goto("/en/calculator/?source=config")
    page.locator("#config").fill(config)
    page.get_by_text("Files beside it").click()
    page.locator("#quantization").fill('{"quantization": {"quant_algo": "NVFP4"}}')
    page.get_by_role("button", name="Compute").click()
    expect(page).to_have_url(re.compile("#config=.+&quantization="))
    assert "quant_algo" not in page.url
    page.locator("#engine").select_option("vllm")
    expect(page.locator("#weights")).to_have_value("NVFP4")
    expect(page).to_have_url(re.compile("engine=vllm.*#config=.+&quantization="))
    figure = page.locator("#result .figure output").inner_text()
    page.reload()
    expect(page.locator("#result .figure output")).to_have_text(figure)
    expect(page.locator("#weights")).to_have_value("NVFP4")
    expect(page.locator("#quantization")).to_have_value('{"quantization": {"quant_algo": "NVFP4"}}')


@pytest.mark.parametrize(
    "path",
    [
        "/en/accelerators/",
        "/zh-hans/accelerators/rtx-4090/",
        f"{CALCULATOR}&card=rtx-4090",
        "/en/calculator/?source=config",
        f"{MODEL}?card=h100-sxm-80gb&cards=4",
    ],
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_barriers_and_no_sideways_scrolling(page: Page, complaints: list[str], path: str, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": 320, "height": 900})
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert Axe().run(page, options=RULES).response["violations"] == []


def test_the_calculator_opens_with_the_model_that_was_looked_at_last(page: Page, complaints: list[str]) -> None:
    page.goto("/en/models/llama-3-1-8b-instruct/")
    page.goto("/zh-hans/")
    page.locator("header nav").get_by_role("link", name="计算器").click()
    expect(page).to_have_url(re.compile(r"/zh-hans/calculator/\?model=llama-3-1-8b-instruct$"))
    expect(page.get_by_role("heading", name="Llama 3.1 8B Instruct")).to_be_visible()
    assert complaints == []
