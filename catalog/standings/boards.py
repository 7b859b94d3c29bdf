"""The boards that the site shows, by the keys of `catalog.ranking.scope`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from django.db.models import Max, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from catalog.models import DataChange, LanguageModel, Place, Release
from catalog.models.vocabulary import BenchmarkCategory
from catalog.ranking.scope import CODING, OVERALL, Scope, category_scopes
from catalog.ranking.scores import Benchmark

BOARDS: Mapping[str, Promise | str] = {
    OVERALL.key: _("Overall"),
    CODING.key: _("All coding"),
    **{f"category/{category.value}": category.label for category in BenchmarkCategory},
}


def board_label(key: str) -> str:
    return str(BOARDS.get(key, key))


def scopes(benchmarks: Iterable[Benchmark]) -> dict[str, Scope]:
    """The scopes that these benchmarks allow to rank, by key."""
    return {scope.key: scope for scope in (OVERALL, CODING, *category_scopes(benchmarks))}


def current(*scopes: str) -> QuerySet[Release]:
    """The newest release of each scope, without its document."""
    newest = Release.objects.filter(scope__in=scopes).order_by().values("scope").annotate(newest=Max("pk"))
    return Release.objects.filter(pk__in=newest.values("newest")).defer("document", "changes")


def newest() -> Mapping[str, Release]:
    """Scope -> its newest release, of all boards: read once after each change, and shared by all who ask."""
    return _newest(DataChange.version())


@lru_cache(maxsize=2)
def _newest(version: str) -> Mapping[str, Release]:
    return {release.scope: release for release in current(*BOARDS)}


class Rank(NamedTuple):
    """On a board, with the ranks between which it could lie."""

    rank: int
    low: int
    high: int


def ranks_of(models: Iterable[LanguageModel], release: Release | None) -> Mapping[int, Rank]:
    """Primary key -> rank on a board, of the models that have one there."""
    if release is None:
        return {}
    return _ranks(release.pk, tuple(model.pk for model in models), DataChange.version())


@lru_cache(maxsize=256)
def _ranks(release: int, models: tuple[int, ...], version: str) -> Mapping[int, Rank]:
    places = Place.objects.filter(release=release, rank__isnull=False, model__in=models)
    rows: Iterable[tuple[Any, ...]] = places.values_list("model_id", "rank", "low", "high")
    return {model: Rank(*place) for model, *place in rows}
