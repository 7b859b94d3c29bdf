"""What a page weighs in a browser: bytes over the wire on a first visit, of all that it loads."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.table import Table

from tests.bench.pages import ours, served
from tests.conftest import CHROMIUM, NO_BROWSER

PATHS = (
    *("/en/", "/en/models/", "/en/models/llama-4-maverick-instruct/", "/zh-hans/models/llama-4-maverick-instruct/"),
    "/zh-hans/models/qwen3-235b-a22b/",  # the most scores there are, so the heaviest
    *("/en/models/gpt-oss-120b/", "/en/benchmarks/", "/en/calculator/"),
)
KINDS = ("Document", "Stylesheet", "Script", "Image", "Other")


def main() -> None:
    if CHROMIUM is None:
        print(NO_BROWSER)
        return
    table = Table("page", *KINDS, "all", title="KB (1,000 bytes) over the wire, first visit")
    with served(ours(), "/healthz") as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for path in PATHS:
            page = browser.new_context().new_page()
            session = page.context.new_cdp_session(page)
            session.send("Network.enable")
            kinds: dict[str, Any] = {}
            sizes: dict[str, Any] = {}
            session.on("Network.responseReceived", partial(_keep, kinds, "type"))
            session.on("Network.loadingFinished", partial(_keep, sizes, "encodedDataLength"))
            page.goto(f"{server.address}{path}", wait_until="networkidle")
            weights: Counter[str] = Counter()
            for request, size in sizes.items():
                weights[kinds.get(request, "Other")] += int(size)
            told = [weights[kind] for kind in KINDS[:-1]]
            told.append(weights.total() - sum(told))
            table.add_row(path, *(f"{each / 1000:.1f}" for each in told), f"{weights.total() / 1000:.1f}")
            page.context.close()
        browser.close()
    Console(width=120).print(table)


def _keep(found: dict[str, Any], name: str, event: dict[str, Any]) -> None:
    found[event["requestId"]] = event[name]
