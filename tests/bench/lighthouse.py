"""Lighthouse's four scores of the pages that people see first, on a desktop and on its slowed-down phone.

Lighthouse comes from the registry of npm by Deno, as Biome does for `make lint`; the first run downloads it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench.pages import MODEL, ROOT, ours, served
from tests.conftest import CHROMIUM, NO_BROWSER

LIGHTHOUSE = "npm:lighthouse@12.8.2"
PATHS = (
    *("/en/", "/zh-hans/", "/en/models/", "/zh-hans/models/"),
    *(MODEL, MODEL.replace("/en/", "/zh-hans/"), "/en/models/gpt-oss-120b/", "/zh-hans/models/qwen3-235b-a22b/"),
    *("/en/benchmarks/", "/zh-hans/benchmarks/", "/en/calculator/", "/zh-hans/calculator/"),
)
DEVICES = {"desktop": ["--preset=desktop"], "phone": []}
ATTEMPTS = 3
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")


def main() -> None:
    if CHROMIUM is None:
        print(NO_BROWSER)
        return
    table = Table("page", "device", *CATEGORIES, "first paint ms", "layout shift", title="Lighthouse, of 100")
    with TemporaryDirectory() as folder, served(ours(), "/healthz") as server:
        for path in PATHS:
            server.ask(path, {})  # what whoever comes first pays is for `make bench ARGS=pages` to say
            for device, options in DEVICES.items():
                table.add_row(path, device, *_scores(f"{server.address}{path}", options, Path(folder) / "report.json"))
    Console(width=150).print(table)


def _scores(address: str, options: list[str], report: Path) -> tuple[str, ...]:
    """As under the table's heads; RuntimeError where Lighthouse did not run; now and then it asks for another try."""
    for _attempt in range(ATTEMPTS):
        said = _run(address, options, report)
        found: dict[str, Any] = json.loads(report.read_text()) if report.exists() else {}
        if found and not found.get("runtimeError"):
            break
    else:
        raise RuntimeError(f"Lighthouse did not run for {address}: {said[-2000:]}")
    scores = (100 * found["categories"][name]["score"] for name in CATEGORIES)
    audits = found["audits"]
    return (
        *(f"{score:.0f}" for score in scores),
        f"{audits['first-contentful-paint']['numericValue']:.0f}",
        f"{audits['cumulative-layout-shift']['numericValue']:.3f}",
    )


def _run(address: str, options: list[str], report: Path) -> str:
    """Writes the report; returns what Lighthouse said beside it."""
    report.unlink(missing_ok=True)
    return subprocess.run(
        [
            *(str(Path(sys.executable).parent / "deno"), "run", "--quiet", "--no-config", "--no-lock", "--allow-all"),
            *(LIGHTHOUSE, address, *options, "--quiet", "--output=json", f"--output-path={report}"),
            "--chrome-flags=--headless=new --no-sandbox --disable-gpu",
        ],
        cwd=ROOT,
        env=os.environ | {"CHROME_PATH": str(CHROMIUM), "DENO_DIR": ".cache/deno", "DENO_NO_UPDATE_CHECK": "1"},
        capture_output=True,
        text=True,
    ).stderr
