"""What an answer costs that nobody asked for before, in one process: calls of functions, which are the same on any
machine with the same Python, and processor time, beside a bare Django view that sends the same bytes.

The site's own WSGI application is asked as a worker of the server asks it, without the server: no socket, no other
thread. Both views are asked in turns, so that their ratio says nearly the same on a busy machine.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from cProfile import Profile
from itertools import count, repeat
from statistics import median
from time import process_time
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from tests.bench.pages import MODEL, PAGES, PART, ROOT, Page

PASSED, ASKED, COUNTED = 3, 25, 5
"""Addresses of each kind: let pass, which fill what is kept in the process, then timed, then counted."""
FIRST = 3_000  # the number of the first, and its context 25,024
OTHER_CELLS = 32  # addresses further, contexts are of other cells, which come by 256
CARD_PAGE = "/en/accelerators/rtx-4090/?context={}"
ONE_BY_ONE = (*PAGES, Page("leaderboard, with a card", "/en/benchmarks/?memory=24&card=rtx-4090&n={}"))
APART = (Page("slider, other cells", MODEL + "?context={}", PART), Page("card page, other cells", CARD_PAGE))
"""What is kept for all contexts of as many cells serves the first, and none of these."""
BROTLI = {"HTTP_ACCEPT_ENCODING": "br"}
HEAD = (
    "answer",
    "bytes",
    "queries",
    "calls",
    "of bare",
    "CPU ms",
    "most",
    "of bare",
    "in Brotli",
    "bare, calls",
    "CPU ms",
)

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Any]


class Cost(NamedTuple):
    """Of one answer: middle and most milliseconds of processor time, and calls of functions, Python's and C's."""

    ms: float
    most_ms: float
    calls: int


class Row(NamedTuple):
    name: str
    size: int
    queries: int
    cold: Cost
    brotli: Cost
    floor: Cost


def main() -> None:
    os.environ |= {"API_RATE": "1000000/sec", "WORK_SECONDS": "1000000"}
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    subprocess.run([sys.executable, "manage.py", "warm_up"], cwd=ROOT, check=True)
    from config.wsgi import application

    table = Table(*HEAD, title=f"answers that nobody asked for before, in one process: the middle of {ASKED}")
    for pages, step in ((ONE_BY_ONE, 1), (APART, OTHER_CELLS)):
        for page in pages:
            table.add_row(*cells(measured(application, page, count(FIRST, step))))
    Console(width=150).print(table)


def measured(application: Application, page: Page, numbers: Iterator[int]) -> Row:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    asked = (environ(page, number) for number in numbers)
    packed = (environ(page, number) | BROTLI for number in numbers)
    for _ in range(PASSED):
        body = answer(application, next(asked))
    with CaptureQueriesContext(connection) as queries:
        answer(application, next(asked))
    cold, floor = in_turns((application, asked), (bare_view(body), repeat(environ(page, 0))))
    (brotli,) = in_turns((application, packed))
    return Row(page.name, len(body), len(queries), cold, brotli, floor)


def cells(row: Row) -> tuple[str, ...]:
    """As under `HEAD`."""
    cold, floor = row.cold, row.floor
    return (
        *(row.name, f"{row.size:,}", str(row.queries), f"{cold.calls:,}", f"{cold.calls / floor.calls:.0f}"),
        *(f"{cold.ms:.2f}", f"{cold.most_ms:.1f}", f"{cold.ms / floor.ms:.0f}", f"{row.brotli.ms:.2f}"),
        *(f"{floor.calls:,}", f"{floor.ms:.2f}"),
    )


def environ(page: Page, number: int) -> Environ:
    """What a server hands over for the page's address of that number."""
    from django.test import RequestFactory

    sent: dict[str, Any] = {f"HTTP_{name.upper().replace('-', '_')}": text for name, text in page.headers.items()}
    return dict(RequestFactory(SERVER_NAME="localhost", **sent).get(page.of(number)).environ)


def answer(application: Application, asked: Environ) -> bytes:
    """The body, read to its end and closed, as a server does. RuntimeError unless the status is 200."""
    started: list[str] = []
    response = application(asked, lambda status, _headers: started.append(status))
    body = b"".join(response)
    response.close()
    if not started[0].startswith("200"):
        raise RuntimeError(f"{started[0]} for {asked['PATH_INFO']}?{asked['QUERY_STRING']}")
    return body


def in_turns(*views: tuple[Application, Iterator[Environ]]) -> list[Cost]:
    """What each of the views takes for what it is asked."""
    times: list[list[float]] = [[] for _ in views]
    for _ in range(ASKED):
        for (application, asked), taken in zip(views, times, strict=True):
            this = next(asked)
            start = process_time()
            answer(application, this)
            taken.append(1000 * (process_time() - start))
    calls = [median(counted(application, next(asked)) for _ in range(COUNTED)) for application, asked in views]
    return [Cost(median(taken), max(taken), int(number)) for taken, number in zip(times, calls, strict=True)]


def counted(application: Application, asked: Environ) -> int:
    """Calls of functions for an answer, of Python's and of C's."""
    with Profile() as profile:
        answer(application, asked)
    return sum(entry.callcount for entry in profile.getstats())


def bare_view(body: bytes) -> Application:
    """Django without middleware, and one view for every address, which sends `body`."""
    from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
    from django.http import HttpRequest, HttpResponse
    from django.test import override_settings
    from django.urls import re_path

    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse(body, headers={"Content-Length": str(len(body))})

    class Request(WSGIRequest):
        urlconf = (re_path("", view),)  # type: ignore[assignment]  # a sequence does as well as the name of a module

    class Bare(WSGIHandler):
        request_class = Request

    with override_settings(MIDDLEWARE=[]):
        return Bare()
