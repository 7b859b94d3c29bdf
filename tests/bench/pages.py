"""What an answer costs on a real server, warm and cold, beside a bare Django view and nginx that send the same bytes.

All are asked in turns in this run, so a ratio compares across machines where a number does not. Warm: one address
again and again. Cold: an address that nobody asked before. Processor time is that of the server's workers.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from cProfile import Profile
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from tests.bench.load import Answer, Connection, Load, Paths, load

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 1.0  # of each measurement
MANY = 16
TICKS = os.sysconf("SC_CLK_TCK")
PART = {"HX-Request": "true"}
MODEL = "/en/models/llama-4-maverick-instruct/"


class Page(NamedTuple):
    """`path` has a place for a number that makes it another address."""

    name: str
    path: str
    headers: Mapping[str, str] = {}

    def of(self, number: int) -> str:
        return self.path.format(1024 + 8 * number)


PAGES = (
    Page("slider, settled", MODEL + "?context={}", PART),
    Page("slider, cards chosen", MODEL + "?card=h100-sxm-80gb&cards=8&context={}", PART),
    Page("slider, too few cards", MODEL + "?card=rtx-4090&cards=8&context={}", PART),
    Page("model page", MODEL + "?context={}"),
    Page("models list", "/en/models/?n={}"),
    Page("search", "/en/models/?q=qwen3+8b&n={}"),
    Page("filter by card", "/en/models/?memory=24&card=rtx-4090&n={}"),
    Page("leaderboard", "/en/benchmarks/?n={}"),
    Page("card page", "/en/accelerators/rtx-4090/?context={}"),
    Page("calculator", "/en/calculator/?model=llama-4-maverick-instruct&context={}"),
    Page("home", "/en/?n={}"),
    Page("sitemap", "/sitemap-models.xml?n={}"),
    Page("API memory", "/api/v1/models/llama-4-maverick-instruct/memory/?context={}"),
)


class Server(NamedTuple):
    process: subprocess.Popen[bytes]
    address: str
    started_s: float

    def workers(self) -> list[Path]:
        """Their folders under /proc; none where there is no /proc."""
        found = []
        for status in Path("/proc").glob("[0-9]*/status"):
            try:
                parent = next(line for line in status.read_text().splitlines() if line.startswith("PPid:"))
            except (OSError, StopIteration):
                continue
            if int(parent.split()[1]) == self.process.pid:
                found.append(status.parent)
        return found

    def cpu_s(self) -> float:
        """Of all workers together."""
        times = (worker.joinpath("stat").read_text().rpartition(")")[2].split() for worker in self.workers())
        return sum(int(fields[11]) + int(fields[12]) for fields in times) / TICKS

    def memory_mib(self) -> str:
        """Of each worker: what is resident, and its share of that, where what several have counts in parts."""
        found = []
        for worker in self.workers():
            lines = (line.split() for line in worker.joinpath("smaps_rollup").read_text().splitlines()[1:])
            sizes = {name: int(size) / 1024 for name, size, *_unit in lines}
            found.append(f"{sizes['Rss:']:.0f} ({sizes['Pss:']:.0f})")
        return ", ".join(sorted(found))

    def ask(self, path: str, headers: Mapping[str, str]) -> Answer:
        host, _, port = self.address.rpartition("//")[2].rpartition(":")
        return Connection(host, int(port)).ask(path, headers)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(command: list[str], path: str, **environment: str) -> Iterator[Server]:
    """A server on a port of its own, once it answers `path`."""
    port = free_port()
    start = monotonic()
    for file in (Path(word) for word in command if word.endswith(".conf")):
        file.write_text(file.read_text().replace("PORT", str(port)))
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | environment | {"PORT": str(port), "GRANIAN_PORT": str(port)},
        stdout=subprocess.DEVNULL,
    )
    try:
        while True:
            try:
                Connection("127.0.0.1", port).ask(path, {})
                break
            except OSError:
                if process.poll() is not None or monotonic() - start > 60:
                    raise RuntimeError(f"{command[0]} does not answer") from None
                sleep(0.02)
        yield Server(process, f"http://127.0.0.1:{port}", monotonic() - start)
    finally:
        process.terminate()
        process.wait(30)


def ours() -> list[str]:
    return [str(Path(sys.executable).parent / "gunicorn"), "--max-requests", "0"]


def bare() -> list[str]:
    return [*ours(), "-c", "python:tests.bench.bare_server", "tests.bench.bare:application"]


def nginx(folder: Path, answers: Path) -> list[str]:
    """Its command and a configuration that serves the files of `answers`; needs it installed."""
    folder.joinpath("nginx.conf").write_text(
        f"daemon off; error_log stderr crit; pid {folder}/nginx.pid; worker_processes 1; events {{}}\n"
        f"http {{ access_log off; keepalive_requests 1000000; server {{ listen 127.0.0.1:PORT; root {answers}; }} }}\n"
    )
    return [shutil.which("nginx") or "nginx", "-c", str(folder / "nginx.conf"), "-p", str(folder)]


class Row(NamedTuple):
    """One page: our warm and cold answers and those of the bare view."""

    page: Page
    size: int
    warm: Load
    warm_cpu_ms: float
    alone: Load
    cold: Load
    cold_cpu_ms: float
    floor: Load


def measure(server: Server, page: Page, floor: Server, number: int) -> Row:
    """Warm, bare and cold in turns."""
    size = len(server.ask(page.of(0), page.headers).body)
    for _ in range(8):  # in each worker
        server.ask(page.of(0), page.headers)
    alone = load(server.address, lambda _: page.of(0), page.headers, 1, SECONDS)
    warm, warm_cpu = _with_cpu(server, lambda _: page.of(0), page.headers)
    least = load(floor.address, lambda _: f"/{number}", {}, MANY, SECONDS)
    cold, cold_cpu = _with_cpu(server, lambda each: page.of(each + 1), page.headers)
    return Row(page, size, warm, warm_cpu, alone, cold, cold_cpu, least)


def _with_cpu(server: Server, paths: Paths, headers: Mapping[str, str]) -> tuple[Load, float]:
    before, start = server.cpu_s(), monotonic()
    found = load(server.address, paths, headers, MANY, SECONDS)
    answered = found.per_s * (monotonic() - start)
    return found, 1000 * (server.cpu_s() - before) / max(1.0, answered)


def asked(page: Page) -> tuple[int, int]:
    """Queries of a cold answer, and calls of functions: they cost the same on a busy machine."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client, headers = Client(SERVER_NAME="localhost"), dict(page.headers)
    client.get(page.of(3_000), headers=headers)
    with CaptureQueriesContext(connection) as queries:
        client.get(page.of(3_001), headers=headers)
    number = len(queries)
    with Profile() as profile:
        client.get(page.of(3_002), headers=headers)
    return number, sum(entry.callcount for entry in profile.getstats())


HEAD = (
    *("answer", "bytes", "queries", "calls", "warm/s", "ratio", "p50 ms", "p99 ms", "alone p50", "p99", "CPU ms"),
    *("cold/s", "ratio", "p99 ms", "CPU ms", "bare/s"),
)


def cells(row: Row) -> tuple[str, ...]:
    """As under `HEAD`."""
    warm, cold, floor = row.warm, row.cold, row.floor
    return (
        *(row.page.name, f"{row.size:,}", *(f"{number:,}" for number in asked(row.page))),
        *(f"{warm.per_s:,.0f}", f"{warm.per_s / floor.per_s:.2f}", f"{warm.p50_ms:.1f}", f"{warm.p99_ms:.1f}"),
        *(f"{row.alone.p50_ms:.2f}", f"{row.alone.p99_ms:.1f}", f"{row.warm_cpu_ms:.2f}"),
        *(f"{cold.per_s:,.0f}", f"{cold.per_s / floor.per_s:.3f}", f"{cold.p99_ms:.1f}", f"{row.cold_cpu_ms:.2f}"),
        f"{floor.per_s:,.0f}",
    )


def main() -> None:
    os.environ |= {"API_RATE": "1000000/sec", "WORK_SECONDS": "1000000"}
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    subprocess.run([sys.executable, "manage.py", "warm_up"], cwd=ROOT, check=True)  # as beside a server, but before it
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        answers = folder / "answers"
        answers.mkdir()
        folder.chmod(0o755)  # nginx started by root reads as another user
        server = stack.enter_context(served(ours(), "/healthz"))
        first, second = (_ms(server, f"{MODEL}?context={tokens}") for tokens in (5000, 5008))
        print(f"answers after {server.started_s:.1f} s; first model page {first:.0f} ms, second {second:.0f} ms")
        for number, page in enumerate(PAGES):
            answers.joinpath(str(number)).write_bytes(server.ask(page.of(0), page.headers).body)
        floor = stack.enter_context(served(bare(), "/0", BENCH_ANSWERS=str(answers)))
        rows = [measure(server, page, floor, number) for number, page in enumerate(PAGES)]
        table = Table(*HEAD, title=f"{MANY} connections, or one alone; ratios against a bare view with the same bytes")
        for row in rows:
            table.add_row(*cells(row))
        Console(width=180).print(table)
        if shutil.which("nginx"):
            files = stack.enter_context(served(nginx(folder, answers), "/0"))
            sent = load(files.address, lambda _: "/0", {}, MANY, SECONDS)
            print(f"nginx sends the bytes of the first row {sent.per_s:,.0f} times a second")
        print("MiB of each worker (and its own share):", server.memory_mib())


def _ms(server: Server, path: str) -> float:
    start = monotonic()
    server.ask(path, {})
    return 1000 * (monotonic() - start)
