"""A GGUF file is chosen, its header read in the browser, and nothing of its weights sent."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Request, expect

from calculator.architecture import read_config
from tests.calculator.architecture.gguf_families import written
from tests.calculator.architecture.gguf_files import binary, tensors_of
from tests.calculator.memory.shapes import catalogued_config

WEIGHTS = b"\xab" * 5_000_000


@pytest.fixture
def parts(tmp_path: Path) -> list[Path]:
    """Llama 3.1 8B in Q4_K_M in two parts, with a vocabulary that makes the first header longer than a megabyte."""
    config = catalogued_config("meta/llama-3-1-8b-instruct")
    tensors = list(tensors_of(read_config(config), "Q4_K_M").items())
    split: dict[str, Any] = {"split.count": 2, "split.tensors.count": len(tensors)}
    metadata = written(config, "llama", {}) | {"general.name": "My own Llama", "tokenizer.ggml.tokens": ["ab"] * 128256}
    first = binary(metadata | split | {"split.no": 0}, dict(tensors[:100]))
    second = binary(split | {"split.no": 1}, dict(tensors[100:]))
    paths = [tmp_path / "model-00001-of-00002.gguf", tmp_path / "model-00002-of-00002.gguf"]
    for path, header in zip(paths, (first, second), strict=True):
        path.write_bytes(header + WEIGHTS)
    return paths


def test_only_the_header_is_sent(page: Page, complaints: list[str], parts: list[Path]) -> None:
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request) if request.method == "POST" else None)
    page.goto("/en/calculator/?source=config")
    page.locator("#file").set_input_files(parts[::-1])
    expect(page.locator("#memory")).to_have_text("My own Llama")
    expect(page.locator("#weights")).to_have_value("GGUF")
    assert max(len(request.post_data_buffer or b"") for request in sent) < 100_000
    page.locator("#context").fill("16384")
    page.locator("#context").press("Enter")
    expect(page).to_have_url(re.compile("#config="))
    known = page.locator("#result .figure output").inner_text()
    page.reload()
    expect(page.locator("#result .figure output")).to_have_text(known)
    page.locator("#weights").select_option("Q4_K_M")
    expect(page.locator("#result .figure output")).to_have_text(known)


def test_a_part_alone_asks_for_the_others(page: Page, complaints: list[str], parts: list[Path]) -> None:
    page.goto("/zh-hans/calculator/?source=config")
    page.locator("#file").set_input_files(parts[0])
    expect(page.locator("#config-errors")).to_contain_text("分为 2 个分片")


def test_no_gguf_at_all(page: Page, complaints: list[str], tmp_path: Path) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(b"GGUF" + b"\xff" * 100)
    page.goto("/en/calculator/?source=config")
    page.locator("#file").set_input_files(path)
    page.wait_for_function("document.getElementById('file').validationMessage.includes('cannot be read')")
