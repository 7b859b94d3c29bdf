"""What an answer costs with the shipped catalogue and with many times its models, and how long ranks and a sync take.

Each database is asked by a process of its own, through Django's test client: processor time, so that a busy machine
says nearly the same, and the median of many addresses that nobody asked before. `ROWS=leaderboard` measures the rows
alone whose name has this pattern; `KEEP=folder` leaves both databases there, ranked, and takes them from there.
"""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from io import StringIO
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
CHANGED = 5  # times, for what is asked first after a change
RENAMED, FAMILY = "qwen3-8b", "qwen3"
LETTERS = ("qw", "ll", "de", "ge", "ph", "mi", "gl", "in", "yi", "ba", "hu", "st", "fa", "ex", "ol", "co", "gr", "ne")
"""As a reader types them: names of many models begin so."""
MORE_PAGES = (
    Page("list, what fits a card", "/en/models/?card=rtx-4090&fits=1&n={}"),
    Page("list by rank", "/en/models/?sort=rank:coding&n={}"),
    Page("list, last page", "/en/models/?page={pages}&n={}"),
    Page("leaderboard, filtered", "/en/benchmarks/?memory=24&licence=yes&n={}"),
    Page("leaderboard, what fits", "/en/benchmarks/?card=rtx-4090&fits=1&n={}"),
    Page("list, another choice each time", "/en/models/?memory={}"),
    Page("leaderboard, another choice", "/en/benchmarks/?memory={}"),
    Page("without a rank", "/en/benchmarks/?show=unranked&n={}"),
    Page("a benchmark", "/en/benchmarks/mmlu-pro/?n={}"),
    Page("search, other letters each time", "/en/models/?q={letters}"),
    Page("suggestions, other letters", "/en/search/suggestions/?q={letters}"),
    Page("search, half of the words found", "/en/search/?q=zzzz+{}"),
    Page("did you mean", "/en/search/?q=lamma{letters}3x"),
    Page("compare", "/en/compare/?m=qwen3-0-6b&m=qwen3-32b&n={}"),
)
ASKED_AFTER = {
    "families": "/en/families/",
    "organisations": "/en/organizations/",
    "sitemap's index": "/sitemap.xml",
    "suggestions": "/en/search/suggestions/?q=qw",
    "list of models": "/en/models/",
    "list, filtered": "/en/models/?memory=24",
    "leaderboard": "/en/benchmarks/",
    "a benchmark": "/en/benchmarks/mmlu-pro/",
    "method of ranks": "/en/benchmarks/method/",
    "model page": "/en/models/qwen3-32b/",
    "home": "/en/",
}
CHANGES = {
    "a change": tuple(ASKED_AFTER),
    "a score": ("suggestions", "leaderboard", "a benchmark", "model page"),
    "a model's name": ("suggestions", "list of models", "list, filtered", "leaderboard", "model page", "families"),
    "a family's name": ("suggestions", "list of models", "leaderboard", "model page", "families"),
}
"""What was changed -> what is asked first after it. A change is one of rows of other kinds, as a card's."""
AFTER = [(change, Page(f"after {change}, {name}", ASKED_AFTER[name])) for change in CHANGES for name in CHANGES[change]]
HEAD = ("answer", "CPU ms", "of many", "ratio", "queries", "of many", "KB", "of many")
WORK = {
    "rank": ("ranks of all boards, s", "ranks, nothing new, s", "peak of ranks, MiB"),
    "rank_again": ("ranks after a score, s", "peak of ranks after a score, MiB"),
    "sync": ("sync, all computed, s", "peak of a sync, MiB"),
    "sync_again": ("sync, nothing new, s", "peak of a sync with nothing new, MiB"),
    "backup": ("backup, s", "peak of a backup, MiB"),
    "export": ("export, s", "peak of an export, MiB"),
    "sitemap": ("sitemap, all parts, s", "peak of the sitemap, MiB"),
}
ON_A_COPY = ("sync", "sync_again", "rank_again")  # these change rows
Figures = dict[str, Any]


def main() -> None:
    with TemporaryDirectory() as passing:
        folder = Path(os.environ.get("KEEP") or passing)
        few, many = folder / "few.sqlite3", folder / "many.sqlite3"
        fresh = not many.exists()
        if fresh:
            _manage(few, "migrate", "-v0")
            _manage(few, "sync_catalog", "-v0")
            shutil.copy(few, many)
            _manage(many, "make_synthetic", f"--models={MODELS}", f"--scores={SCORES}", "--yes")
        found = [_measured(path, Path(passing, "copy.sqlite3"), fresh=fresh) for path in (few, many)]
    Console(width=120).print(_table(*found))


def _measured(path: Path, copy: Path, *, fresh: bool) -> Figures:
    """Ranks take half an hour, and a sync changes rows: each is done by a process of its own, the latter on a copy. To
    have nothing new, a sync follows another."""
    asked = [what for what, rows in WORK.items() if any(map(_asked_for, rows))]
    work = _said(path, "rank") if fresh or "rank" in asked else {}
    figures = _said(path, "measure")
    if any(what in ON_A_COPY for what in asked):
        shutil.copy(path, copy)
    if "sync_again" in asked and "sync" not in asked:
        _said(copy, "sync")
    for what in asked:
        if what != "rank":
            work |= _said(copy if what in ON_A_COPY else path, what)
    return figures | {"work": figures["work"] | work}


def _asked_for(row: str) -> bool:
    return re.search(os.environ.get("ROWS", ""), row) is not None


def _manage(database: Path, *command: str) -> None:
    subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, env=_environment(database), check=True)


def _said(database: Path, what: str) -> Figures:
    """What a process of its own measures on that database."""
    command = [sys.executable, "-m", "tests.bench.growth", what]
    done = subprocess.run(command, cwd=ROOT, env=_environment(database), check=True, stdout=subprocess.PIPE)
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def _environment(database: Path) -> dict[str, str]:
    own = {"DATABASE_URL": f"sqlite:///{database}", "WORK_SECONDS": "1000000"}
    return os.environ | own | {"DJANGO_SETTINGS_MODULE": "config.settings"}


def _table(few: Figures, many: Figures) -> Table:
    table = Table(*HEAD, title=f"{few['models']:,} models and {many['models']:,}, {many['ranked']:,} of them ranked")
    for name, (cpu_ms, queries, size) in few["pages"].items():
        cpu_many, queries_many, size_many = many["pages"][name]
        costs = (f"{cpu_ms:.1f}", f"{cpu_many:.1f}", f"{cpu_many / cpu_ms:.2f}")
        table.add_row(name, *costs, *map(str, (queries, queries_many)), f"{size / 1000:.0f}", f"{size_many / 1000:.0f}")
    for name, taken in sorted(few["work"].items()):
        taken_many = many["work"][name]
        table.add_row(name, f"{taken:.1f}", f"{taken_many:.1f}", f"{taken_many / taken:.1f}")
    return table


def measure() -> Figures:
    """The pages of the database that `DATABASE_URL` names."""
    from catalog import standings
    from catalog.models import LanguageModel, Release

    models = LanguageModel.objects.published().count()
    ranked = Release.objects.get(pk=standings.newest()["overall"].pk).num_ranked
    pages = {page.name: _answer(page, models) for page in (*PAGES, *MORE_PAGES) if _asked_for(page.name)}
    with _as_they_are_called():
        pages |= {page.name: _answer(page, models, change) for change, page in AFTER if _asked_for(page.name)}
    return {"models": models, "ranked": ranked, "pages": pages, "work": {"peak of all pages, MiB": _peak_mib()}}


def rank() -> Figures:
    """How long the ranks of all boards take, and what is asked where they are known to be right."""
    from catalog import standings
    from catalog.models import Release

    Release.objects.all().delete()
    taken = [_seconds(standings.refresh) for _turn in range(2)]
    return dict(zip(WORK["rank"], (*taken, _peak_mib()), strict=True))


def rank_again() -> Figures:
    """How long the ranks take that follow from one changed score, with what moved and why."""
    from catalog import standings
    from catalog.models import Release, Score

    standings.refresh()
    score = Score.objects.filter(benchmark__slug="mmlu-pro", model__slug=RENAMED).order_by("pk")[0]
    Score.objects.filter(pk=score.pk).update(value=score.value + 1)
    before = Release.objects.count()
    taken = _told("rank_again", standings.refresh)
    if Release.objects.count() == before:
        raise RuntimeError("no board was ranked anew")
    return taken


def sync() -> Figures:
    """How long a sync takes that computes every model, as after a deploy of other rules."""
    from catalog.models import LanguageModel

    LanguageModel.objects.update(seal="")
    return _command("sync", "sync_catalog")


def sync_again() -> Figures:
    return _command("sync_again", "sync_catalog")


def backup() -> Figures:
    with TemporaryDirectory() as folder:
        return _command("backup", "backup", folder)


def export() -> Figures:
    """Without the check of what was written: made-up models are not what their files say."""
    from catalog.source import SHIPPED
    from catalog.sync.export import export

    with TemporaryDirectory() as folder:
        return _told("export", lambda: export(Path(folder), shipped=SHIPPED))


def sitemap() -> Figures:
    from django.test import Client

    client = Client(SERVER_NAME="localhost")

    def ask() -> None:
        index = client.get("/sitemap.xml").content.decode()
        for address in re.findall("<loc>https?://[^/]+([^<]+)</loc>", index):
            if client.get(address).status_code != 200:
                raise RuntimeError(f"{address} is not there")

    return _told("sitemap", ask)


def _command(what: str, name: str, *arguments: str) -> Figures:
    from django.core.management import call_command

    return _told(what, partial(call_command, name, *arguments, verbosity=0, stdout=StringIO()))


def _told(what: str, work: Callable[[], object]) -> Figures:
    return dict(zip(WORK[what], (_seconds(work), _peak_mib()), strict=True))


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextmanager
def _as_they_are_called() -> Iterator[None]:
    """What is renamed within has its name again."""
    from catalog.models import DataChange, Family, LanguageModel

    model, family = LanguageModel.objects.filter(slug=RENAMED), Family.objects.filter(slug=FAMILY)
    name, of_family = model.get().name, family.values_list("name_en", flat=True).get()
    yield
    model.update(name=name)
    family.update(name_en=of_family)
    DataChange.record()


def _change(what: str, number: int) -> None:
    from catalog.models import DataChange, Family, LanguageModel, Score, ScoreChange

    if what == "a score":
        score = Score.objects.filter(benchmark__slug="mmlu-pro").order_by("pk")[0]
        Score.objects.filter(pk=score.pk).update(value=score.value)
        ScoreChange.record([score.benchmark_id])
    elif what == "a model's name":
        LanguageModel.objects.filter(slug=RENAMED).update(name=f"Qwen3 Next {number}")
    elif what == "a family's name":
        Family.objects.filter(slug=FAMILY).update(name_en=f"Qwen3 and on {number}")
    DataChange.record(forget=True)


def _answer(page: Page, models: int, change: str = "") -> tuple[float, int, int]:
    """Milliseconds, queries and bytes of an answer that is in no cache. After a `change`, nothing is that follows from
    what was changed."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client, headers = Client(SERVER_NAME="localhost"), dict(page.headers)
    path = page.path.replace("{pages}", str(-(-models // 30)))

    def ask(number: int) -> int:
        response = client.get(path.format(1024 + 8 * number, letters=LETTERS[number]), headers=headers)
        if response.status_code != 200:
            raise RuntimeError(f"{path} answers {response.status_code}")
        return len(response.content)

    def taken(number: int) -> float:
        if change:
            _change(change, number)
        return 1000 * _seconds(partial(ask, number))

    for number in range(2):
        taken(number)
    if change:
        _change(change, 2)
    with CaptureQueriesContext(connection) as asked:
        size = ask(2)
        queries = len(asked)
    return median(map(taken, range(3, 3 + (CHANGED if change else ASKED)))), queries, size


def _seconds(work: Callable[[], object]) -> float:
    start = process_time()
    work()
    return process_time() - start


if __name__ == "__main__":
    import django

    django.setup()
    doing = (measure, rank, rank_again, sync, sync_again, backup, export, sitemap)
    print(json.dumps({each.__name__: each for each in doing}[sys.argv[1]]()))
