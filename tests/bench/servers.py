"""The same site under gunicorn and under granian, asked in turns; granian only where it is installed."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.load import load
from tests.bench.pages import MANY, PAGES, SECONDS, ours, served

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
    os.environ["API_RATE"] = "1000000/sec"
    table = Table(
        *HEAD, title=f"{MANY} connections, two processes of four threads; the best of {ROUNDS} rounds in turns"
    )
    with ExitStack() as stack:
        both = [stack.enter_context(served(command, "/healthz")) for command in (ours(), granian())]
        for page in (page for page in PAGES if page.name in ASKED):
            for state in ("warm", "cold"):
                found: list[list[tuple[float, float]]] = [[], []]
                for turn in range(ROUNDS):
                    for which, server in enumerate(both):
                        start = 1 + 20_000 * turn if state == "cold" else 0
                        each = load(
                            server.address,
                            lambda number, start=start, page=page: page.of(start + number if start else 0),
                            page.headers,
                            MANY,
                            SECONDS,
                        )
                        found[which].append((each.per_s, each.p99_ms))
                first, second = (max(rounds) for rounds in found)
                table.add_row(
                    *(page.name, state, f"{first[0]:,.0f}", f"{second[0]:,.0f}", f"{second[0] / first[0]:.2f}"),
                    *(f"{first[1]:.1f}", f"{second[1]:.1f}"),
                )
        Console(width=120).print(table)
        for name, server in zip(("gunicorn", "granian"), both, strict=True):
            print(f"MiB of each worker of {name}:", ", ".join(f"{each:.0f}" for each in server.memory_mib()))
