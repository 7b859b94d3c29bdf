"""The database's rows as the plain values that `catalog.ranking` reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from catalog import models
from catalog.models.vocabulary import Variant
from catalog.ranking.printed import printed_error
from catalog.ranking.scores import Benchmark, Candidate, Mode, Score, ScoreSource

BATCH = 2000


@dataclass(frozen=True, slots=True)
class Rows:
    benchmarks: tuple[Benchmark, ...]
    candidates: tuple[Candidate, ...]
    scores: tuple[Score, ...]


def read() -> Rows:
    """Everything a ranking needs, in three queries. Drafts take no part: a page must not give them away."""
    published = models.LanguageModel.objects.published()
    texts: dict[str, str] = {}

    def same(value: Any) -> Any:
        """One object for equal texts: of 400,000 scores that is a third of their memory."""
        return texts.setdefault(value, value) if isinstance(value, str) else value

    scores = models.Score.objects.filter(model__is_published=True).values_list(
        "pk", "model__slug", "benchmark__slug", "value", "variant", "mode", "source_kind", "date", "settings"
    )
    return Rows(
        tuple(benchmark_value(row) for row in models.Benchmark.objects.all()),
        tuple(
            Candidate(slug, chat=variant != Variant.BASE, thinks=variant == Variant.REASONING)
            for slug, variant in published.values_list("slug", "variant")
        ),
        tuple(score_value(*[*map(same, row[:-1]), row[-1]]) for row in scores.iterator(BATCH)),
    )


def benchmark_value(row: models.Benchmark) -> Benchmark:
    return Benchmark(
        row.slug,
        row.category,
        row.primary_variant,
        row.scale_max,
        row.higher_is_better,
        {row.primary_variant: row.questions} if row.questions else {},
        row.composite,
        row.suite,
        frozenset(row.curt_variants),
    )


def score_values(rows: Iterable[models.Score]) -> list[Score]:
    """Rows with `model` and `benchmark` at hand."""
    return [
        score_value(
            row.pk, row.model.slug, row.benchmark.slug, row.value, row.variant, row.mode, row.source_kind, row.date,
            row.settings,
        )
        for row in rows
    ]  # fmt: skip


def score_value(
    pk: int,
    model: str,
    benchmark: str,
    value: float,
    variant: str,
    mode: str,
    source_kind: str,
    date: str,
    settings: str,
) -> Score:
    return Score(
        str(pk),
        model,
        benchmark,
        value,
        variant,
        Mode(mode),
        ScoreSource(source_kind),
        self_reported=source_kind == ScoreSource.VENDOR,
        date=date,
        standard_error=printed_error(settings),
    )
