"""The tables of a benchmark, one for each variant: their order is read once after each change, rows page by page."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db.models import Count, Max, Min, QuerySet

from catalog.models import Score, Standing
from catalog.models.querysets import TABLE_COLUMNS


@dataclass(frozen=True, slots=True)
class WholeTable:
    """Primary keys of all standings in their order, and the `lowest` and `highest` of their scores."""

    keys: Sequence[int]
    ends: Mapping[str, Any]


@lru_cache(maxsize=256)
def models_by_variant(benchmark: int, version: str) -> Mapping[str, int]:
    """How many models have a score on each variant of the benchmark with this primary key, those of most first."""
    rows = Standing.objects.filter(score__benchmark=benchmark, score__model__is_published=True).order_by()
    return dict(rows.values_list("score__variant").annotate(models=Count("pk")).order_by("-models"))


@lru_cache(maxsize=64)
def whole_table(benchmark: int, variant: str, higher_is_better: bool, version: str) -> WholeTable:
    ranked = standings_of(benchmark, variant)
    ends = ranked.order_by().aggregate(lowest=Min("score__value"), highest=Max("score__value"))
    return WholeTable(array("q", in_order(ranked, higher_is_better)), ends)


def standings_of(benchmark: int, variant: str) -> QuerySet[Standing]:
    """Of what readers see: a model that was just taken from them has its ranks until all are computed anew."""
    return Standing.objects.filter(score__benchmark=benchmark, score__variant=variant, score__model__is_published=True)


def in_order(rows: QuerySet[Standing], higher_is_better: bool) -> QuerySet[Standing, int]:
    """Primary keys by rank, the better score first."""
    value = "-score__value" if higher_is_better else "score__value"
    return rows.order_by("rank", value, "score__model__slug", "pk").values_list("pk", flat=True)


def table_rows(keys: Iterable[int]) -> list[Standing]:
    """Standings with these primary keys, in this order, with what a table shows of score and model: one query."""
    asked = list(keys)
    links = ("score__model__organization", "score__model__licence")
    columns = (
        *(field.name for field in Standing._meta.concrete_fields),
        *(f"score__{field.name}" for field in Score._meta.concrete_fields),
        *(f"score__model__{column}" for column in TABLE_COLUMNS),
    )
    found = Standing.objects.select_related(*links).only(*columns).in_bulk(asked)
    return [found[key] for key in asked if key in found]
