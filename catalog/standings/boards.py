"""The boards that the site shows, by the keys of `catalog.ranking.scope`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db.models import Max, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from catalog.models import LanguageModel, Place, Release
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


def ranks_of(models: Iterable[LanguageModel], release: Release | None) -> Mapping[int, Place]:
    """Primary key -> place on a board, of the models that have a rank there."""
    if release is None:
        return {}
    places = Place.objects.filter(release=release, rank__isnull=False, model__in=[model.pk for model in models])
    return {place.model_id: place for place in places}
