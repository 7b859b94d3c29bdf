"""What a model's page says of its benchmarks: ranks, and for each benchmark the score that counts and the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Max, Min

from catalog.models import Benchmark, LanguageModel, Place, Score, Standing
from catalog.models.vocabulary import BenchmarkCategory
from catalog.ranking.preferred import headline
from catalog.ranking.scope import CODING, OVERALL, Scope
from catalog.standings import board_label, current
from catalog.standings.rows import benchmark_value, score_values
from catalog.standings.words import NOT_PREFERRED, missing_text

BAR_WIDTH = 100
RATING_MARGIN = 0.05  # of the field's span, left free at both ends of a scale that has none of its own


@dataclass(frozen=True, slots=True)
class Bar:
    """Where a score lies among those of all models, on a scale of 100 with the better end at the right."""

    at: float
    left: float
    width: float
    lowest: float
    highest: float


@dataclass(frozen=True, slots=True)
class Line:
    """One benchmark. `others` are records that do not count, each with the reason."""

    benchmark: Benchmark
    score: Score
    standing: Standing | None
    bar: Bar | None
    others: tuple[tuple[Score, str], ...]


@dataclass(frozen=True, slots=True)
class ScoreGroup:
    label: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Rank:
    """A board with the model's place in it; `missing` says why it has none."""

    board: str
    label: str
    place: Place
    missing: str


@dataclass(frozen=True, slots=True)
class Scoreboard:
    ranks: tuple[Rank, ...]
    groups: tuple[ScoreGroup, ...]


def scoreboard(model: LanguageModel) -> Scoreboard:
    """Three queries beside the scores that came with the model."""
    by_benchmark: dict[Benchmark, list[Score]] = {}
    for score in model.scores.all():
        by_benchmark.setdefault(score.benchmark, []).append(score)
    placed = {standing.pk: standing for standing in Standing.objects.filter(score__model=model)}
    fields = _fields(by_benchmark)
    lines = [_line(benchmark, scores, placed, fields) for benchmark, scores in by_benchmark.items()]
    lines.sort(key=lambda line: line.benchmark.name.casefold())
    groups = (
        ScoreGroup(str(category.label), tuple(line for line in lines if line.benchmark.category == category))
        for category in BenchmarkCategory
    )
    return Scoreboard(tuple(_ranks(model)), tuple(group for group in groups if group.lines))


def _ranks(model: LanguageModel) -> Iterable[Rank]:
    scopes: Mapping[str, Scope] = {scope.key: scope for scope in (OVERALL, CODING)}
    places = Place.objects.filter(model=model, release__in=current(*scopes)).select_related("release")
    found = {place.release.scope: place for place in places.defer("release__document", "release__changes")}
    for key, scope in scopes.items():
        if key in found:
            place = found[key]
            yield Rank(key, board_label(key), place, missing_text(place, scope) if place.missing else "")


def _fields(benchmarks: Iterable[Benchmark]) -> dict[tuple[int, str], tuple[float, float]]:
    """Lowest and highest preferred score of each variant of the benchmarks."""
    rows = (
        Standing.objects.filter(score__benchmark__in=list(benchmarks))
        .order_by()
        .values_list("score__benchmark", "score__variant")
        .annotate(lowest=Min("score__value"), highest=Max("score__value"))
    )
    return {(benchmark, variant): (lowest, highest) for benchmark, variant, lowest, highest in rows}


def _line(
    benchmark: Benchmark,
    scores: list[Score],
    placed: Mapping[int, Standing],
    fields: Mapping[tuple[int, str], tuple[float, float]],
) -> Line:
    for score in scores:
        score.benchmark = benchmark
    rows = {str(score.pk): score for score in scores}
    preference = headline(score_values(scores), benchmark_value(benchmark))
    score = rows[preference.score.key]
    field = fields.get((benchmark.pk, score.variant))
    return Line(
        benchmark,
        score,
        placed.get(score.pk),
        bar(benchmark, score.value, *field) if field else None,
        tuple((rows[other.key], str(NOT_PREFERRED[reason])) for other, reason in preference.others),
    )


def bar(benchmark: Benchmark, value: float, lowest: float, highest: float) -> Bar:
    """A percentage is drawn on its whole scale, a rating on the span of the field."""
    margin = RATING_MARGIN * (highest - lowest) or 1.0
    start, end = (0.0, benchmark.scale_max) if benchmark.scale_max else (lowest - margin, highest + margin)

    def at(score: float) -> float:
        share = min(1.0, max(0.0, (score - start) / (end - start)))
        return round(BAR_WIDTH * (share if benchmark.higher_is_better else 1 - share), 1)

    left, right = sorted((at(lowest), at(highest)))
    return Bar(at(value), left, round(right - left, 1), lowest, highest)
