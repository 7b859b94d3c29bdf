from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.vary import vary_on_headers

from calculator.htmx import HtmxRequest, wants_partial
from calculator.paging import page_of
from catalog.bridge.chosen import keys_of
from catalog.bridge.my_hardware import MyHardware
from catalog.bridge.rows import models_for_table
from catalog.leaderboards.benchmark_tables import models_by_variant, table_rows, whole_table
from catalog.leaderboards.board import Choice, board_at
from catalog.leaderboards.board_rows import board_rows
from catalog.leaderboards.forms import BenchmarkForm, BoardForm
from catalog.leaderboards.scatter import Scatter, scatter
from catalog.model_page.scoreboard import bar
from catalog.models import Benchmark, DataChange
from catalog.models.score_numbers import NONE, numbers_of_scores
from catalog.models.vocabulary import BenchmarkCategory
from catalog.ranking.scope import OVERALL, Scope
from catalog.standings import BOARDS, board_label, newest, scopes, waiting
from catalog.standings.rows import benchmark_value
from catalog.standings.words import missing_text

PAGE_SIZE = 50
FEWEST = 15  # boards and benchmarks with fewer models say little; they stand behind "more"


@vary_on_headers("HX-Request")
def leaderboards(request: HtmxRequest) -> HttpResponse:
    """One board at a time, filtered and paged by a plain GET form."""
    mine = MyHardware.from_query(request.GET)
    form = BoardForm(request.GET.dict(), mine)
    releases = newest()
    board = form.chosen_board
    release = releases.get(board)
    benchmarks, by_scope = _benchmarks(DataChange.version())
    boards = [(key, label, releases[key]) for key, label in BOARDS.items() if key in releases]
    scope = by_scope.get(board, OVERALL)
    choice, version = form.choice(release) if release else None, DataChange.version()
    paged = page_of(request.GET.get("page"), board_at(choice, version).places if choice else (), PAGE_SIZE)
    rows = board_rows(paged["page"])
    fits = mine.fits([row.model for row in rows], form.context_tokens)
    shown = [row for row in rows if form.kept(row.model, fits)]
    context: dict[str, Any] = {
        **paged,
        "form": form,
        "board": board,
        "board_label": board_label(board),
        "boards": [entry for entry in boards if entry[2].num_ranked >= FEWEST or entry[0] == board],
        "small_boards": [entry for entry in boards if entry[2].num_ranked < FEWEST and entry[0] != board],
        "release": release,
        "renewed": waiting(),
        "mine": mine,
        "fits": fits,
        "left_out": len(rows) - len(shown),
        "rows": [(row, missing_text(row, scope) if row.missing else "") for row in shown],
        "catalogue": _by_category(benchmarks),
        "scatter": _drawn(choice, _memory_of(mine), get_language(), version) if choice and not form.unranked else None,
    }
    partial = wants_partial(request)
    template = "catalog/_leaderboard.html" if partial else "catalog/leaderboards.html"
    status = 200 if form.is_valid() and mine.valid else 400
    return render(request, template, context | {"partial": partial}, status=status)


def benchmark(request: HttpRequest, slug: str) -> HttpResponse:
    """What a benchmark measures, what to mind, and its table: one variant at a time."""
    row = get_object_or_404(Benchmark, slug=slug)
    version = DataChange.version()
    variants = models_by_variant(row.pk, version)
    first = row.primary_variant if row.primary_variant in variants else next(iter(variants), "")
    variant = request.GET.get("variant", first)
    if variant not in variants and variants:
        raise Http404(_("No such variant of this benchmark."))
    mine = MyHardware.from_query(request.GET)
    form = BenchmarkForm(request.GET.dict() | {"variant": variant}, mine)
    whole = whole_table(row.pk, variant, row.higher_is_better, version)
    keys = whole.keys
    if form.narrows:
        keys = whole.of(frozenset(keys_of(form.narrowing, version)))
    paged = page_of(request.GET.get("page"), keys, PAGE_SIZE)
    standings = table_rows(paged["page"])
    fits = mine.fits([standing.score.model for standing in standings], form.context_tokens)
    shown = [standing for standing in standings if form.kept(standing.score.model, fits)]
    return render(
        request,
        "catalog/benchmark.html",
        {
            **paged,
            "benchmark": row,
            "variant": variant,
            "variants": sorted(variants.items(), key=lambda item: (item[0] != first, -item[1])),
            "form": form,
            "mine": mine,
            "fits": fits,
            "rows": [(standing, bar(row, standing.score.value, **whole.ends)) for standing in shown],
        },
        status=200 if form.is_valid() and mine.valid else 400,
    )


@lru_cache(maxsize=2)
def _benchmarks(version: str) -> tuple[tuple[Benchmark, ...], Mapping[str, Scope]]:
    """All of them, and the scopes that they allow to rank."""
    held = numbers_of_scores(version)
    rows = tuple(Benchmark.objects.all())
    for row in rows:
        row.models = held.get(row.pk, NONE).models  # type: ignore[attr-defined]
    return rows, scopes(map(benchmark_value, rows))


def _by_category(benchmarks: Sequence[Benchmark]) -> list[tuple[str, list[Benchmark], list[Benchmark]]]:
    """The benchmarks of each category: those of many models, those of few."""
    found = []
    for category in BenchmarkCategory:
        held = [benchmark for benchmark in benchmarks if benchmark.category == category]
        many = [benchmark for benchmark in held if benchmark.models >= FEWEST]  # type: ignore[attr-defined]
        found.append((str(category.label), many, [benchmark for benchmark in held if benchmark not in many]))
    return [(label, many, few) for label, many, few in found if many or few]


def _memory_of(mine: MyHardware) -> tuple[str, int] | None:
    return (mine.label, mine.card.usable_of(mine.count)) if mine.card else None


@lru_cache(maxsize=64)
def _drawn(choice: Choice, memory: tuple[str, int] | None, language: str | None, version: str) -> Scatter | None:
    """Once after each change for each choice of models: of 20,000 it takes a fiftieth of a second."""
    spots = board_at(choice, version).spots
    return scatter(spots, lambda keys: {model.pk: model for model in models_for_table(keys)}, memory)
