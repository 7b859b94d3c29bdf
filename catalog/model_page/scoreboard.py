"""What a model's page says of its benchmarks: ranks, and for each benchmark the score that counts and the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Subquery

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
    counted = {benchmark: _counted(benchmark, scores) for benchmark, scores in by_benchmark.items()}
    fields = _fields([score.pk for score, _others in counted.values()])
    lines = [
        _line(benchmark, score, placed.get(score.pk), fields.get(score.pk), others)
        for benchmark, (score, others) in counted.items()
    ]
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


def _fields(scores: Sequence[int]) -> dict[int, tuple[float, float]]:
    """Of each of these scores, by primary key, the lowest and the highest that counts of all models on the same variant
    of its benchmark.

    Both are sought from their end of an index: a benchmark may have thousands.
    """
    placed = Exists(Standing.objects.filter(pk=OuterRef("pk")))
    alike = Score.objects.filter(placed, benchmark=OuterRef("benchmark"), variant=OuterRef("variant"))
    ends = [Subquery(alike.order_by(value).values("value")[:1]) for value in ("value", "-value")]
    found = Score.objects.filter(pk__in=scores).order_by().annotate(lowest=ends[0], highest=ends[1])
    rows = found.values_list("pk", "lowest", "highest")
    return {pk: (lowest, highest) for pk, lowest, highest in rows if lowest is not None and highest is not None}


def _counted(benchmark: Benchmark, scores: list[Score]) -> tuple[Score, tuple[tuple[Score, str], ...]]:
    """The score that counts, and the others, each with the reason why it does not."""
    for score in scores:
        score.benchmark = benchmark
    rows = {str(score.pk): score for score in scores}
    preference = headline(score_values(scores), benchmark_value(benchmark))
    others = tuple((rows[other.key], str(NOT_PREFERRED[reason])) for other, reason in preference.others)
    return rows[preference.score.key], others


def _line(
    benchmark: Benchmark,
    score: Score,
    standing: Standing | None,
    field: tuple[float, float] | None,
    others: tuple[tuple[Score, str], ...],
) -> Line:
    return Line(benchmark, score, standing, bar(benchmark, score.value, *field) if field else None, others)


def bar(benchmark: Benchmark, value: float, lowest: float, highest: float) -> Bar:
    """A percentage is drawn on its whole scale, a rating on the span of the field."""
    margin = RATING_MARGIN * (highest - lowest) or 1.0
    start, end = (0.0, benchmark.scale_max) if benchmark.scale_max else (lowest - margin, highest + margin)

    def at(score: float) -> float:
        share = min(1.0, max(0.0, (score - start) / (end - start)))
        return round(BAR_WIDTH * (share if benchmark.higher_is_better else 1 - share), 1)

    left, right = sorted((at(lowest), at(highest)))
    return Bar(at(value), left, round(right - left, 1), lowest, highest)
