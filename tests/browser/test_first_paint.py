"""What is painted first stays where it is, however slowly the page arrives."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

SHIFTS = """
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries())
      shifts.push([entry.value, entry.sources.map((source) => source.node?.className)]);
  }).observe({ type: "layout-shift", buffered: true });
"""
SLOW = {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 90_000}  # ms, bytes/s


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize(
    "path",
    [
        "/en/models/llama-4-maverick-instruct/",
        "/zh-hans/models/llama-4-maverick-instruct/",
        "/zh-hans/models/llama-4-maverick-instruct/?card=rtx-4090",  # somebody's link: whose cards they are is said
        "/en/calculator/",
        "/en/compare/?m=llama-4-maverick-instruct&card=rtx-4090",
        "/zh-hans/",
        "/en/nothing-here/",
        "/en/accelerators/rtx-4090/",
        "/en/benchmarks/",
    ],
)
def test_nothing_moves_while_the_page_arrives(page: Page, path: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", SLOW)
    session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    page.add_init_script(SHIFTS)
    page.goto(path, wait_until="networkidle")
    shifts = page.evaluate("shifts")
    assert sum(value for value, _nodes in shifts) < 0.02, shifts
