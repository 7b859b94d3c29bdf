"""The tables of a benchmark, one for each variant: their order is read once after each change, rows page by page."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import compress
from typing import Any

from catalog.models import LanguageModel, Score, Standing
from catalog.models.querysets import TABLE_COLUMNS
from catalog.search.among import Among


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
    held = Counter(variant for variant, *_row in _standings_of(benchmark, version))
    return dict(held.most_common())


@lru_cache(maxsize=64)
def whole_table(benchmark: int, variant: str, higher_is_better: bool, version: str) -> WholeTable:
    """By rank, the better score first, then by the models' addresses."""
    rows = [row for row in _standings_of(benchmark, version) if row[0] == variant]
    better = -1 if higher_is_better else 1
    slugs = _slugs_of_equals([(rank, value, model) for _variant, _pk, model, value, rank in rows])
    rows.sort(key=lambda row: (row[4], better * row[3], slugs.get(row[2], ""), row[1]))
    _variants, keys, models, values, _ranks = zip(*rows, strict=True) if rows else ((),) * 5
    ends = {"lowest": min(values, default=None), "highest": max(values, default=None)}
    return WholeTable(array("q", keys), array("q", models), ends)


@lru_cache(maxsize=2)
def _standings_of(benchmark: int, version: str) -> Sequence[tuple[str, int, int, float, int]]:
    """Variant, primary key, model, score and rank: of what readers see.

    A model that was just taken from them has its ranks until all are computed anew; to look up each would take longer.
    """
    drafts = set(LanguageModel.objects.filter(is_published=False).order_by().values_list("pk", flat=True))
    rows = Standing.objects.filter(score__benchmark=benchmark).order_by()
    columns = ("score__variant", "pk", "score__model_id", "score__value", "rank")
    return [row for row in rows.values_list(*columns) if row[2] not in drafts]


def _slugs_of_equals(places: Sequence[tuple[int, float, int]]) -> Mapping[int, str]:
    """Of models that share a rank and a score."""
    shared = Counter(place[:2] for place in places)
    equals = [model for rank, value, model in places if shared[rank, value] > 1]
    return dict(LanguageModel.objects.filter(Among(equals)).order_by().values_list("pk", "slug"))


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
