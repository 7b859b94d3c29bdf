"""The tables of a benchmark, one for each variant: their order is read once after each change, rows page by page."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import compress
from typing import Any

from django.db.models import Count, QuerySet

from catalog.models import LanguageModel, Score, Standing
from catalog.models.querysets import TABLE_COLUMNS


@dataclass(frozen=True, slots=True)
class WholeTable:
    """Primary keys of all standings in their order, and of their models; the `lowest` and `highest` of their scores."""

    keys: Sequence[int]
    models: Sequence[int]
    ends: Mapping[str, Any]

    def of(self, models: Collection[int]) -> Sequence[int]:
        """The standings of these models."""
        return list(compress(self.keys, map(models.__contains__, self.models)))


@lru_cache(maxsize=256)
def models_by_variant(benchmark: int, version: str) -> Mapping[str, int]:
    """How many models have a score on each variant of the benchmark with this primary key, those of most first."""
    rows = _standings_of(benchmark).order_by()
    return dict(rows.values_list("score__variant").annotate(models=Count("pk")).order_by("-models"))


@lru_cache(maxsize=64)
def whole_table(benchmark: int, variant: str, higher_is_better: bool, version: str) -> WholeTable:
    """By rank, the better score first."""
    value = "-score__value" if higher_is_better else "score__value"
    rows = _standings_of(benchmark).filter(score__variant=variant).order_by("rank", value, "score__model__slug", "pk")
    columns = list(zip(*rows.values_list("pk", "score__model", "score__value"), strict=True))
    keys, models, values = columns or ((), (), ())
    ends = {"lowest": min(values, default=None), "highest": max(values, default=None)}
    return WholeTable(array("q", keys), array("q", models), ends)


def _standings_of(benchmark: int) -> QuerySet[Standing]:
    """Of what readers see: a model that was just taken from them has its ranks until all are computed anew.

    Who is published is asked of the index of lists: in a row it stands behind a whole config.
    """
    published = LanguageModel.objects.published().order_by().values("pk")
    return Standing.objects.filter(score__benchmark=benchmark, score__model__in=published)


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
