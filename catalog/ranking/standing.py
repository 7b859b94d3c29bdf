"""Ranks inside one benchmark: equal variants only, and no order where the number of questions cannot tell one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from catalog.ranking.cells import sampling_error, share
from catalog.ranking.preferred import preferred_by_item
from catalog.ranking.scores import Benchmark, Candidate, Item, Score

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Standing:
    """Place `rank` among the `of` models with a score on the item; `tied` says whether others share it."""

    score: Score
    rank: int
    of: int
    tied: bool


def standings(
    scores: Iterable[Score], benchmark: Benchmark, candidates: Iterable[Candidate]
) -> dict[Item, tuple[Standing, ...]]:
    """The listed chat models in order, for each variant of the benchmark.

    A model shares the rank of the best model not yet placed when it lies within one standard error of it: the larger
    of the two models' sqrt(p (1 - p) / questions), or the error that the source prints. Where neither is known only
    equal scores tie. The next rank counts everybody above it (1, 2, 2, 4).
    """
    compared = {candidate.slug for candidate in candidates if candidate.chat and candidate.listed}
    kept = [score for score in scores if score.benchmark == benchmark.slug and score.model in compared]
    by_item: defaultdict[Item, list[Score]] = defaultdict(list)
    for (_, item), preference in preferred_by_item(kept, {benchmark.slug: benchmark}).items():
        by_item[item].append(preference.score)
    return {item: _placed(scores_of_item, benchmark) for item, scores_of_item in sorted(by_item.items())}


def _placed(scores: list[Score], benchmark: Benchmark) -> tuple[Standing, ...]:
    groups: list[list[Score]] = []
    for score in sorted(scores, key=lambda score: (-share(score.value, benchmark), score.model)):
        if groups and _equal(groups[-1][0], score, benchmark):
            groups[-1].append(score)
        else:
            groups.append([score])
    placed: list[Standing] = []
    for group in groups:
        rank = len(placed) + 1
        placed += [Standing(score, rank, len(scores), len(group) > 1) for score in group]
    return tuple(placed)


def _equal(best: Score, score: Score, benchmark: Benchmark) -> bool:
    gap = share(best.value, benchmark) - share(score.value, benchmark)
    return gap <= max(sampling_error(best, benchmark), sampling_error(score, benchmark)) + _ROUNDING
