from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_noop
from ninja import Field, Router, Schema

from catalog.api.schemas import BenchmarkOut, Problem
from catalog.models import Benchmark, Standing
from catalog.models.querysets import LONG_COLUMNS

router = Router(tags=["benchmarks"])


class StandingOut(Schema):
    """The score of a model that counts on one variant, and its rank among the models with that variant."""

    model: str
    variant: str
    value: float
    mode: str
    rank: int = Field(
        description=gettext_noop("Among the models with a score on that variant, of which there are `of`.")
    )
    of: int
    tied: bool
    date: str
    source: str
    source_kind: str


class BenchmarkTableOut(BenchmarkOut):
    questions: int | None
    composite: bool
    standings: list[StandingOut]


@router.get(
    "/",
    response=list[BenchmarkOut],
    summary=gettext_noop("All benchmarks"),
    description=gettext_noop("What each of them measures, and its scale."),
)
def list_benchmarks(request: HttpRequest) -> QuerySet[Benchmark]:
    return Benchmark.objects.all()


@router.get(
    "/{slug:slug}/",
    response={200: BenchmarkTableOut, 404: Problem},
    summary=gettext_noop("One benchmark and its table"),
    description=gettext_noop("The score of each model that counts, variant by variant, by rank."),
)
def get_benchmark(request: HttpRequest, slug: str) -> Benchmark:
    benchmark = get_object_or_404(Benchmark, slug=slug)
    benchmark.standings = [_standing(row) for row in _standings(benchmark)]  # type: ignore[attr-defined]
    return benchmark


def _standings(benchmark: Benchmark) -> QuerySet[Standing]:
    rows = Standing.objects.filter(score__benchmark=benchmark, score__model__is_published=True)
    rows = rows.select_related("score__model")
    short = rows.defer(*(f"score__model__{name}" for name in LONG_COLUMNS))
    return short.order_by("score__variant", "rank", "score__model__slug", "pk")


def _standing(row: Standing) -> dict[str, Any]:
    score = row.score
    return {
        "model": score.model.slug,
        "variant": score.variant,
        "value": score.value,
        "mode": score.mode,
        "rank": row.rank,
        "of": row.of,
        "tied": row.tied,
        "date": score.date,
        "source": score.source,
        "source_kind": score.source_kind,
    }
