"""What an answer costs with the shipped catalogue and with many times its models, and how long ranks and a sync take.

Both databases lie in a temporary folder. Each is asked by a process of its own, through Django's test client: processor
time, so that a busy machine says nearly the same, and the median of many addresses that nobody asked before.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench.pages import PAGES, ROOT, Page

MODELS, SCORES = 20_000, 400_000
ASKED = 15
MORE_PAGES = (
    Page("list, what fits a card", "/en/models/?card=rtx-4090&fits=1&n={}"),
    Page("list by rank", "/en/models/?sort=rank:coding&n={}"),
    Page("list, last page", "/en/models/?page={pages}&n={}"),
    Page("leaderboard, filtered", "/en/benchmarks/?memory=24&licence=yes&n={}"),
    Page("leaderboard, what fits", "/en/benchmarks/?card=rtx-4090&fits=1&n={}"),
    Page("without a rank", "/en/benchmarks/?show=unranked&n={}"),
    Page("a benchmark", "/en/benchmarks/mmlu-pro/?n={}"),
)
HEAD = ("answer", "CPU ms", "of many", "ratio", "queries", "of many", "KB", "of many")
Figures = dict[str, Any]


def main() -> None:
    with TemporaryDirectory() as folder:
        few, many = Path(folder, "few.sqlite3"), Path(folder, "many.sqlite3")
        _manage(few, "migrate", "-v0")
        _manage(few, "sync_catalog", "-v0")
        shutil.copy(few, many)
        _manage(many, "make_synthetic", f"--models={MODELS}", f"--scores={SCORES}", "--yes")
        ranks = [_said(path, "rank") for path in (few, many)]  # by itself: it takes half an hour, and much memory
        found = [_said(path, "measure") for path in (few, many)]
        found = [each | {"work": each["work"] | work} for each, work in zip(found, ranks, strict=True)]
    Console(width=120).print(_table(*found))


def _manage(database: Path, *command: str) -> None:
    subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, env=_environment(database), check=True)


def _said(database: Path, what: str) -> Figures:
    """What a process of its own measures on that database."""
    command = [sys.executable, "-m", "tests.bench.growth", what]
    done = subprocess.run(command, cwd=ROOT, env=_environment(database), check=True, stdout=subprocess.PIPE)
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def _environment(database: Path) -> dict[str, str]:
    return os.environ | {"DATABASE_URL": f"sqlite:///{database}", "DJANGO_SETTINGS_MODULE": "config.settings"}


def _table(few: Figures, many: Figures) -> Table:
    table = Table(*HEAD, title=f"{few['models']:,} models and {many['models']:,}, {many['ranked']:,} of them ranked")
    for name, (cpu_ms, queries, size) in few["pages"].items():
        cpu_many, queries_many, size_many = many["pages"][name]
        costs = (f"{cpu_ms:.1f}", f"{cpu_many:.1f}", f"{cpu_many / cpu_ms:.2f}")
        table.add_row(name, *costs, *map(str, (queries, queries_many)), f"{size / 1000:.0f}", f"{size_many / 1000:.0f}")
    for name, cpu_s in few["work"].items():
        cpu_many = many["work"][name]
        table.add_row(f"{name}, s", f"{cpu_s:.1f}", f"{cpu_many:.1f}", f"{cpu_many / cpu_s:.1f}")
    table.add_row("peak of the process, MiB", f"{few['peak_mib']:.0f}", f"{many['peak_mib']:.0f}")
    return table


def measure() -> None:
    """Prints the figures of the database that `DATABASE_URL` names."""
    import django

    django.setup()
    from django.core.management import call_command

    from catalog import standings
    from catalog.models import LanguageModel, Release

    models = LanguageModel.objects.published().count()
    ranked = Release.objects.get(pk=standings.newest()["overall"].pk).num_ranked
    pages = {page.name: _answer(page, models) for page in (*PAGES, *MORE_PAGES)}
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    work = {"sync, nothing new": _seconds(lambda: call_command("sync_catalog", verbosity=0))}
    print(json.dumps({"models": models, "ranked": ranked, "pages": pages, "work": work, "peak_mib": peak_mib}))


def rank() -> None:
    """Prints how long the ranks of all boards take."""
    import django

    django.setup()
    from catalog import standings
    from catalog.models import Release

    Release.objects.all().delete()
    print(json.dumps({"ranks of all boards": _seconds(standings.refresh)}))


def _answer(page: Page, models: int) -> tuple[float, int, int]:
    """Milliseconds, queries and bytes of an answer that is in no cache."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client, headers = Client(SERVER_NAME="localhost"), dict(page.headers)
    path = page.path.replace("{pages}", str(-(-models // 30)))

    def ask(number: int) -> int:
        response = client.get(path.format(1024 + 8 * number), headers=headers)
        if response.status_code != 200:
            raise RuntimeError(f"{path} answers {response.status_code}")
        return len(response.content)

    for number in range(2):
        ask(number)
    with CaptureQueriesContext(connection) as asked:
        size = ask(2)
        queries = len(asked)
    return median(1000 * _seconds(partial(ask, number)) for number in range(3, 3 + ASKED)), queries, size


def _seconds(work: Callable[[], object]) -> float:
    start = process_time()
    work()
    return process_time() - start


if __name__ == "__main__":
    {"measure": measure, "rank": rank}[sys.argv[1]]()
