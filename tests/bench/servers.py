"""The same site under gunicorn and under granian, asked in turns; granian only where it is installed."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.load import Load, load
from tests.bench.pages import MANY, PAGES, SECONDS, Page, Server, ours, served

ROUNDS = 3
ASKED = ("slider, settled", "model page", "models list", "API memory")
HEAD = ("answer", "", "gunicorn/s", "granian/s", "ratio", "p99 ms", "p99 ms")


def granian() -> list[str]:
    """As many processes and threads as gunicorn has; its port is in the environment."""
    return [
        *(str(Path(sys.executable).parent / "granian"), "--interface", "wsgi", "--no-log", "--host", "127.0.0.1"),
        *("--workers", "2", "--blocking-threads", "4", "--backpressure", "64", "config.wsgi:application"),
    ]


def main() -> None:
    if find_spec("granian") is None:
        print("granian is not installed: pip install granian, and ask again")
        return
    os.environ |= {"API_RATE": "1000000/sec", "WORK_SECONDS": "1000000"}
    table = Table(*HEAD, title=f"{MANY} connections, two processes of four threads; best of {ROUNDS} rounds in turns")
    with ExitStack() as stack:
        both = [stack.enter_context(served(command, "/healthz")) for command in (ours(), granian())]
        for page in (page for page in PAGES if page.name in ASKED):
            for state, step in (("warm", 0), ("cold", 1)):
                rounds = [[_asked(server, page, 20_000 * turn, step) for server in both] for turn in range(ROUNDS)]
                first, second = (max(found, key=lambda one: one.per_s) for found in zip(*rounds, strict=True))
                table.add_row(
                    *(page.name, state, f"{first.per_s:,.0f}", f"{second.per_s:,.0f}"),
                    *(f"{second.per_s / first.per_s:.2f}", f"{first.p99_ms:.1f}", f"{second.p99_ms:.1f}"),
                )
        Console(width=120).print(table)
        for name, server in zip(("gunicorn", "granian"), both, strict=True):
            print(f"MiB of each worker of {name} (and its own share):", server.memory_mib())


def _asked(server: Server, page: Page, start: int, step: int) -> Load:
    """One address, or with a `step` another each time."""
    return load(server.address, lambda number: page.of(step * (start + number)), page.headers, MANY, SECONDS)
