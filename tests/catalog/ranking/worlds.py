"""Invented worlds, in which the true abilities are known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import exp
from random import Random

from catalog.ranking.cells import ScoreCell
from catalog.ranking.publish import prepare, publish
from catalog.ranking.release import Release
from catalog.ranking.scope import OVERALL, Scope
from catalog.ranking.scores import Benchmark, Candidate, Score, by_benchmark

DRAWS = 20
CATEGORIES = ("general-knowledge", "math", "coding", "agentic-coding", "long-context", "tool-use")


@dataclass(frozen=True)
class World:
    """Models `m00` (the weakest) to `m39` and one-variant benchmarks `b00` to `b11`, two in each category."""

    abilities: dict[str, float]
    benchmarks: dict[str, Benchmark]
    scores: tuple[Score, ...]

    @property
    def candidates(self) -> list[Candidate]:
        return [Candidate(model) for model in self.abilities]

    def cells(self) -> list[ScoreCell]:
        return [ScoreCell(score.model, score.item, score.value / 100) for score in self.scores]


def make_world(*, noise: float = 0.0, seed: int = 1, models: int = 40) -> World:
    """Each model has 7 of 12 scores, off by a normal error of `noise` points.

    As vendors choose: the weak half is never shown on the last four benchmarks, the strong half not on the first four.
    """
    random = Random(seed)
    abilities = {f"m{place:02}": 3 * place / (models - 1) - 1.5 for place in range(models)}
    benchmarks = {f"b{place:02}": Benchmark(f"b{place:02}", CATEGORIES[place % len(CATEGORIES)]) for place in range(12)}
    # the later a benchmark, the harder
    nature = {slug: (place / 4 - 1.5, random.uniform(0.6, 1.6)) for place, slug in enumerate(benchmarks)}
    scores = []
    for place, (model, ability) in enumerate(abilities.items()):
        shown = list(benchmarks)[:8] if place < models // 2 else list(benchmarks)[4:]
        for slug in random.sample(shown, 7):
            difficulty, slope = nature[slug]
            value = 100 / (1 + exp(-slope * (ability - difficulty))) + random.gauss(0, noise)
            scores.append(Score(f"{model}/{slug}", model, slug, min(100.0, max(0.0, value))))
    return World(abilities, benchmarks, tuple(scores))


def release(
    world: World,
    scores: Iterable[Score] | None = None,
    candidates: Iterable[Candidate] | None = None,
    scope: Scope = OVERALL,
    draws: int = DRAWS,
) -> Release:
    scores = world.scores if scores is None else scores
    pool = world.candidates if candidates is None else candidates
    return publish(prepare(scope, by_benchmark(scores), world.benchmarks.values(), pool, draws=draws), "2026-01-31")


def rank_of(found: Release) -> dict[str, int]:
    return {place.model: place.rank for place in found.ranked}
