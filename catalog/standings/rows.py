"""The database's rows as the plain values that `catalog.ranking` reads."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import isnan, nan
from typing import Any

from catalog import models
from catalog.models.vocabulary import Variant
from catalog.ranking.printed import printed_error
from catalog.ranking.scores import Benchmark, Candidate, Mode, Score, Scores, ScoreSource

BATCH = 2000


@dataclass(frozen=True, slots=True)
class Rows:
    benchmarks: tuple[Benchmark, ...]
    candidates: tuple[Candidate, ...]
    scores: Scores


@dataclass(frozen=True, slots=True)
class _Packed:
    """Scores of one benchmark, in columns; an error that is not known is NaN."""

    keys: array[int] = field(default_factory=lambda: array("q"))
    models: list[str] = field(default_factory=list)
    values: array[float] = field(default_factory=lambda: array("d"))
    errors: array[float] = field(default_factory=lambda: array("d"))
    runs: list[tuple[str, str, str, str]] = field(default_factory=list)


class _PackedScores(Mapping[str, list[Score]]):
    """Made anew for whoever asks: 400,000 scores as they are read take six times the memory of their columns."""

    def __init__(self, rows: Iterable[tuple[Any, ...]]) -> None:
        self._of: dict[str, _Packed] = {}
        same: dict[Any, Any] = {}  # one object for equal texts
        for pk, model, benchmark, value, settings, *run in rows:
            held = self._of.setdefault(benchmark, _Packed())
            held.keys.append(pk)
            held.models.append(same.setdefault(model, model))
            held.values.append(value)
            error = printed_error(settings)
            held.errors.append(nan if error is None else error)
            held.runs.append(same.setdefault(tuple(run), tuple(run)))

    def __getitem__(self, benchmark: str) -> list[Score]:
        held = self._of[benchmark]
        return [
            _score(pk, model, benchmark, value, *run, None if isnan(error) else error)
            for pk, model, value, run, error in zip(
                held.keys, held.models, held.values, held.runs, held.errors, strict=True
            )
        ]

    def __contains__(self, benchmark: object) -> bool:
        return benchmark in self._of

    def __iter__(self) -> Iterator[str]:
        return iter(self._of)

    def __len__(self) -> int:
        return len(self._of)


def read() -> Rows:
    """Everything a ranking needs, in three queries. Drafts take no part: a page must not give them away."""
    published = models.LanguageModel.objects.published()
    scores = models.Score.objects.filter(model__is_published=True).values_list(
        "pk", "model__slug", "benchmark__slug", "value", "settings", "variant", "mode", "source_kind", "date"
    )
    return Rows(
        tuple(benchmark_value(row) for row in models.Benchmark.objects.all()),
        tuple(
            Candidate(slug, chat=variant != Variant.BASE, thinks=variant == Variant.REASONING)
            for slug, variant in published.values_list("slug", "variant")
        ),
        _PackedScores(scores.iterator(BATCH)),
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
        _score(
            row.pk, row.model.slug, row.benchmark.slug, row.value, row.variant, row.mode, row.source_kind, row.date,
            printed_error(row.settings),
        )
        for row in rows
    ]  # fmt: skip


def _score(
    pk: int,
    model: str,
    benchmark: str,
    value: float,
    variant: str,
    mode: str,
    source_kind: str,
    date: str,
    standard_error: float | None,
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
        standard_error=standard_error,
    )
