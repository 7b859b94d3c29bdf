"""What the first questions of a worker cost: each is asked in a process of its own, once that has asked itself for
pages as a worker does, and then another of its kind. None is of a model or a card that the worker asked itself for.

Processor time, so that a busy machine says nearly the same. `manage.py warm_up` has been, as beside a server.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from resource import RUSAGE_SELF, getrusage
from statistics import median
from time import process_time

from rich.console import Console
from rich.table import Table

from tests.bench.cold import Application, answer, counted, environ
from tests.bench.pages import MODEL, PART, ROOT, Page

PROCESSES = 3  # of which the middle is told
QUESTIONS = (
    Page("model page", MODEL + "?context={}"),
    Page("slider", MODEL + "?context={}", PART),
    Page("card page", "/en/accelerators/rtx-5080/?context={}"),
    Page("card page, eight cards", "/en/accelerators/b200/?cards=8&context={}"),
    Page("list, three cards", "/en/models/?card=h100-sxm-80gb&cards=3&memory=240&n={}"),
    Page("leaderboard, with a card", "/en/benchmarks/?memory=16&card=rtx-5080&n={}"),
    Page("API, memory", "/api/v1/models/llama-4-maverick-instruct/memory/?context={}"),
)
CALLS = "calls"
HEAD = ("question", "start", "asked itself", "first, CPU ms", "next, CPU ms", "MiB", "first, calls", "next, calls")


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    subprocess.run([sys.executable, "manage.py", "warm_up"], cwd=ROOT, check=True)
    table = Table(*HEAD, title=f"first questions of a worker: the middle of {PROCESSES} processes")
    for number, page in enumerate(QUESTIONS):
        calls = asked_apart(str(number), CALLS)
        table.add_row(page.name, *(f"{ms:.0f}" for ms in told(number)), *(f"{each:,}" for each in calls))
    Console(width=130).print(table)


def told(number: int) -> Iterator[float]:
    """Milliseconds of start, of what it asked itself, of first answer and next of that question, and the most MiB that
    the process held: the middle of several."""
    runs = [asked_apart(str(number)) for _ in range(PROCESSES)]
    return map(median, zip(*runs, strict=True))


def asked_apart(*arguments: str) -> Sequence[float]:
    """What a process of its own measures."""
    command = [sys.executable, "-m", "tests.bench.first", *arguments]
    found: list[float] = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
    return found


def costs(application: Application, page: Page) -> tuple[float, float]:
    """Milliseconds of the first answer and of the next, which is of other cells."""
    found = []
    for number in (3_000, 3_032):
        asked, start = environ(page, number), process_time()
        answer(application, asked)
        found.append(1000 * (process_time() - start))
    return found[0], found[1]


def calls_of(page: Page) -> tuple[float, ...]:
    """Of functions, which are the same on any machine: for the first answer and for the next."""
    from config import first_page
    from config.wsgi import application

    first_page.ask(application)
    return counted(application, environ(page, 3_000)), counted(application, environ(page, 3_032))


def measure(page: Page) -> tuple[float, ...]:
    """In a process that has done nothing yet."""
    from config import first_page
    from config.wsgi import application

    started = 1000 * process_time()
    first_page.ask(application)
    asked = 1000 * process_time() - started
    return started, asked, *costs(application, page), getrusage(RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ |= {"API_RATE": "1000000/sec", "WORK_SECONDS": "1000000"}
    ask = calls_of if CALLS in sys.argv else measure
    print(json.dumps(ask(QUESTIONS[int(sys.argv[1])])))
