"""How the models rank and what they scored where both were measured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.comparison.table import ComparisonCell, ComparisonRow, Section
from catalog.models import LanguageModel, Place, Standing
from catalog.models.vocabulary import BenchmarkCategory
from catalog.ranking.scope import CODING, OVERALL
from catalog.standings import board_label, current
from catalog.standings.score_words import plain_words, points
from catalog.standings.words import missing_text


def ranks(models: Sequence[LanguageModel]) -> Section:
    """Overall and coding rank with interval."""
    scopes = {scope.key: scope for scope in (OVERALL, CODING)}
    rows = Place.objects.filter(model__in=models, release__in=current(*scopes)).select_related("release")
    places = {(row.release.scope, row.model_id): row for row in rows.defer("release__document", "release__changes")}
    return Section(
        gettext_lazy("Ranks"),
        tuple(
            ComparisonRow(board_label(key), _best([_rank(places.get((key, model.pk)), scope) for model in models]))
            for key, scope in scopes.items()
        ),
    )


def _rank(place: Place | None, scope: Any) -> tuple[ComparisonCell, float | None]:
    if place is None:
        return ComparisonCell(""), None
    if place.rank is None:
        return ComparisonCell(_("not ranked"), missing_text(place, scope)), None
    interval = _("%(low)s–%(high)s of %(ranked)s") % {
        "low": place.low,
        "high": place.high,
        "ranked": place.release.num_ranked,
    }
    return ComparisonCell(f"#{place.rank}", interval), -place.rank


def scores(models: Sequence[LanguageModel]) -> tuple[list[Section], int]:
    """Scores on what at least two of the models were measured on, equal variants only, and how many stand alone."""
    rows = Standing.objects.filter(score__model__in=models).select_related("score__benchmark")
    held: dict[tuple[Any, str], dict[int, Standing]] = {}
    for standing in rows:
        item = (standing.score.benchmark, standing.score.variant)
        held.setdefault(item, {})[standing.score.model_id] = standing
    shared = {item: found for item, found in held.items() if len(found) >= min(2, len(models))}
    sections = []
    for category in BenchmarkCategory:
        items = sorted(
            (item for item in shared if item[0].category == category),
            key=lambda item: (item[0].name.casefold(), item[1]),
        )
        if items:
            rows_of_category = tuple(_score_row(item, shared[item], models) for item in items)
            sections.append(Section(category.label, rows_of_category, gettext_lazy("no score")))
    return sections, len(held) - len(shared)


def _score_row(item: tuple[Any, str], found: dict[int, Standing], models: Sequence[LanguageModel]) -> ComparisonRow:
    benchmark, variant = item
    label = _("%(benchmark)s (%(variant)s)") % {"benchmark": benchmark.name, "variant": plain_words(variant)}
    cells = _best([_score(benchmark, found.get(model.pk)) for model in models])
    return ComparisonRow(label if variant else benchmark.name, cells, benchmark.get_absolute_url())


def _score(benchmark: Any, standing: Standing | None) -> tuple[ComparisonCell, float | None]:
    if standing is None:
        return ComparisonCell(""), None
    score = standing.score
    place = _("%(rank)s of %(of)s") % {"rank": standing.rank, "of": standing.of}
    said = [place, *filter(None, [score.get_mode_display(), score.get_source_kind_display()])]
    return ComparisonCell(points(score.value, benchmark), " · ".join(said)), -standing.rank


def _best(cells: Iterable[tuple[ComparisonCell, float | None]]) -> tuple[ComparisonCell, ...]:
    """Marks the cells of the highest value where there are others to compare with; a shared rank marks all of them."""
    cells = list(cells)
    values = [value for _cell, value in cells if value is not None]
    best = max(values) if len(set(values)) > 1 else None
    return tuple(ComparisonCell(cell.text, cell.note, value is not None and value == best) for cell, value in cells)
