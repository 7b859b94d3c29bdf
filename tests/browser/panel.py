"""The memory panel of a model page, as tests take hold of it."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page, Request, expect

MODEL = "models/llama-4-maverick-instruct/"
MODEL_MAXIMUM = 1_048_576
FIGURE = "#result .figure output"

# The reader's own opening of a disclosure moves what is below it; the browser tells a few frames later.
OPENED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 200))))"

# What a drag rewrites, as a reader meets it.
WRITTEN = """() => {
  const text = (id) => document.getElementById(id)?.innerText.replace(/\\s+/g, " ") ?? null;
  const drawn = (part) => [part.getAttribute("x"), part.getAttribute("width")];
  const bar = [...document.querySelectorAll(".bar rect")].map(drawn);
  return {
    figure: document.querySelector("#result .figure").innerText.replace(/\\s+/g, " "),
    parts: document.querySelector("#result .parts").innerText.replace(/\\s+/g, " "),
    mine: text("verdict-mine"), best: text("verdict-best")?.replace(/(spare|short|余量|还差) .*/, "$1"),
    bar, said: document.getElementById("result").dataset.summary, aria: document.querySelector(".bar").ariaLabel,
  };
}"""

# Everything that a reader could see flicker or jump, from the moment the page starts.
WATCH = """
  window.shifts = []; window.figures = []; window.said = [];
  new PerformanceObserver((list) => { for (const entry of list.getEntries()) shifts.push(entry.value); })
    .observe({ type: "layout-shift", buffered: true });
  addEventListener("DOMContentLoaded", () => {
    const seen = () => {
      const figure = document.querySelector("#result .figure output");
      const waited = document.getElementById("result").classList.contains("slow"); // a busy machine, not a flicker
      figures.push(waited || figure.checkVisibility({ visibilityProperty: true }) ? figure.textContent : "");
      requestAnimationFrame(seen);
    };
    seen();
    new MutationObserver(() => said.push(document.getElementById("announcement").textContent))
      .observe(document.getElementById("announcement"), { childList: true, characterData: true, subtree: true });
  });
"""


class Panel:
    """The model page of one language."""

    def __init__(self, page: Page, lang: str = "en", query: str = "") -> None:
        self.page = page
        self.asked: list[Request] = []
        page.add_init_script(WATCH)
        page.goto(f"/{lang}/{MODEL}{query}", wait_until="networkidle")
        page.on("request", lambda request: self.asked.append(request) if "hx-request" in request.headers else None)
        self.slider, self.field = page.locator("#context-slider"), page.locator("#context")
        self.figure = page.locator(FIGURE)
        self.alert = page.locator("#result .stale")

    def settle(self) -> None:
        """Wait until the answer to the last change is there."""
        expect(self.page.locator("#result")).not_to_have_attribute("aria-busy", "true")

    def agrees(self, context: int) -> None:
        """Figure, controls and address say the same, and so does the page that the address leads to."""
        expect(self.page).to_have_url(re.compile(rf"context={context}&"))
        self.settle()
        assert int(self.field.input_value()) == context
        assert (self.slider.get_attribute("aria-valuetext") or "").startswith(f"{context:,} ")
        whole = self.page.request.get(self.page.url).text()
        answer = re.search(r"<output[^>]*>([^<]+)<", whole)
        assert answer
        expect(self.figure).to_have_text(answer[1])
        expect(self.page.locator("#result .also")).to_contain_text(f"{context:,}")
        for name in ("engine", "weights", "kv"):
            chosen = re.search(rf'<select name="{name}".*?<option value="([^"]+)" selected', whole, re.DOTALL)
            assert chosen
            assert self.page.locator(f"#{name}").input_value() == chosen[1]

    def recorded(self, name: str) -> list[Any]:
        return self.page.evaluate(f"window.{name}.splice(0)")

    def drag(self, *stops: float) -> None:
        """Press the thumb, move it through `stops` (parts of the track), and hold it."""
        self.slider.scroll_into_view_if_needed()
        box = self.slider.bounding_box()
        assert box
        at = [(box["x"] + box["width"] * stop, box["y"] + box["height"] / 2) for stop in stops]
        self.page.mouse.move(*at[0])
        self.page.mouse.down()
        for x, y in at[1:]:
            self.page.mouse.move(x, y, steps=25)
