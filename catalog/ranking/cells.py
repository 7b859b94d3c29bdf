"""From published records to what the fit reads: one share of the scale per model and item."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite, log, sqrt

from catalog.ranking.preferred import OWN, Preference, independence, preferred_by_item
from catalog.ranking.scope import Scope
from catalog.ranking.scores import Benchmark, Candidate, Item, Score, Scores

Preferences = Mapping[tuple[str, Item], Preference]

REFERENCE_RATING = 1300.0
"""A Bradley-Terry rating becomes the chance to win against this one, so that it lies in 0..1 like an accuracy."""


@dataclass(frozen=True, order=True, slots=True)
class ScoreCell:
    """A model's result on an item: `share` of the scale in 0..1 and its sampling error, 0 where unknown.

    `own`: the model's publisher measured it. `suite`: what else is measured in the same run, by default the benchmark.
    """

    model: str
    item: Item
    share: float
    error: float = 0.0
    own: bool = False
    suite: str = ""

    @property
    def counted_with(self) -> str:
        return self.suite or self.item.benchmark


def share(value: float, benchmark: Benchmark) -> float:
    """The value as a share of the scale, 1 the best. Raises ValueError outside the scale."""
    if not isfinite(value):
        raise ValueError(f"{benchmark.slug}: {value} is not a number")
    if benchmark.scale_max is None:
        raw = 1 / (1 + 10 ** ((REFERENCE_RATING - value) / 400))
    elif 0 <= value <= benchmark.scale_max:
        raw = value / benchmark.scale_max
    else:
        raise ValueError(f"{benchmark.slug}: {value} is outside 0 to {benchmark.scale_max:g}")
    return raw if benchmark.higher_is_better else 1 - raw


def sampling_error(score: Score, benchmark: Benchmark) -> float:
    """Standard error of the share: what the source prints, else sqrt(p (1 - p) / questions), else 0 for unknown."""
    p = share(score.value, benchmark)
    if score.standard_error is not None:
        unit = 1 / benchmark.scale_max if benchmark.scale_max else log(10) / 400 * p * (1 - p)
        return score.standard_error * unit
    questions = benchmark.questions.get(score.variant)
    return sqrt(p * (1 - p) / questions) if questions else 0.0


def preferences(
    scores: Scores, benchmarks: Mapping[str, Benchmark], candidates: Iterable[Candidate], scope: Scope
) -> Iterator[Preferences]:
    """The record that counts for each chat model and item of the scope, benchmark by benchmark.

    None for a model that thinks on a variant that leaves no room for it: such a run tells of the harness alone.
    """
    thinks = {candidate.slug: candidate.thinks for candidate in candidates if candidate.chat}

    def counts(score: Score) -> bool:
        return score.model in thinks and not (thinks[score.model] and score.variant in benchmarks[score.benchmark].curt)

    for slug in scores:
        if scope.covers(benchmarks[slug]):
            yield preferred_by_item(filter(counts, scores[slug]), benchmarks)


def cells(chosen: Preferences, benchmarks: Mapping[str, Benchmark]) -> list[ScoreCell]:
    """One cell per record that counts."""
    return [
        ScoreCell(
            model,
            item,
            share(preference.score.value, benchmarks[item.benchmark]),
            sampling_error(preference.score, benchmarks[item.benchmark]),
            own=independence(preference.score) == OWN,
            suite=benchmarks[item.benchmark].suite,
        )
        for (model, item), preference in chosen.items()
    ]
