"""Where the calls of a cold answer are made: what is left to do, by the rooms of the code that do it."""

from __future__ import annotations

import os
from collections import Counter
from cProfile import Profile
from itertools import count
from pathlib import Path
from types import CodeType

from rich.console import Console
from rich.table import Table

from tests.bench.cold import APART, COUNTED, FIRST, ONE_BY_ONE, OTHER_CELLS, PASSED, Application, answer, environ
from tests.bench.pages import ROOT, Page

FEW = {
    "slider, settled",
    "slider, too few cards",
    "model page",
    "models list",
    "leaderboard",
    "card page",
    "API memory",
}
WRITING = {"templates", "jinja2", "markupsafe", "config.jinja_runtime"}
"""Rooms that are one to a reader of the table: what writes a page."""
SHOWN = 6
"""Rooms of an answer; what is left is one line."""


def main() -> None:
    """After `cold`, which warms up."""
    os.environ |= {"API_RATE": "1000000/sec", "WORK_SECONDS": "1000000"}
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from config.wsgi import application

    table = Table("answer", "calls", "of them, by room", title="where the calls of an answer are made")
    for pages, step in ((ONE_BY_ONE, 1), (APART, OTHER_CELLS)):
        for page in pages:
            if page.name in FEW or page in APART:
                made = calls_by_room(application, page, step)
                table.add_row(page.name, f"{made.total() // COUNTED:,}", shares(made))
    Console(width=150).print(table)


def calls_by_room(application: Application, page: Page, step: int) -> Counter[str]:
    """Of `COUNTED` addresses that nobody asked before."""
    asked = (environ(page, number) for number in count(FIRST, step))
    for _ in range(PASSED):
        answer(application, next(asked))
    with Profile() as profile:
        for _ in range(COUNTED):
            answer(application, next(asked))
    made: Counter[str] = Counter()
    for entry in profile.getstats():
        if isinstance(entry.code, CodeType):
            room = room_of(entry.code.co_filename)
            made[room] += entry.callcount
            # A function of C has no room: its calls are those of who calls it.
            made[room] += sum(called.callcount for called in entry.calls or () if isinstance(called.code, str))
    return made


def room_of(file: str) -> str:
    """A package of ours and its part, a package of others, or Python's own."""
    path = Path(file)
    if path.is_relative_to(ROOT) and ".venv" not in path.parts:
        parts = path.relative_to(ROOT).with_suffix("").parts
        room = ".".join(parts[:2] if parts[0] != "templates" else parts[:1])
    elif "site-packages" in path.parts:
        parts = path.with_suffix("").parts[path.parts.index("site-packages") + 1 :]
        room = ".".join(parts[:2] if parts[0] == "django" else parts[:1])
    else:
        room = "Python"
    return "templates" if room in WRITING else room


def shares(made: Counter[str]) -> str:
    """The largest first."""
    total = made.total()
    largest = made.most_common(SHOWN)
    left = total - sum(number for _room, number in largest)
    return ", ".join(f"{room} {number / total:.0%}" for room, number in [*largest, ("other", left)])
