"""Which of several records of one result counts, and why the others stand behind it.

The rule, in this order. Between records of one model, one benchmark and one variant:

1. a third party's figure that equals the vendor's own is a copy of it, not a second opinion;
2. the most independent source: a leaderboard, then a third party, then the vendor;
3. the benchmark's default settings before departures from them;
4. the thinking mode with the better result (one checkpoint, its better side);
5. the median of what is left, the less flattering of the two middle ones: one odd record cannot move it;
6. among equal values the newest record.

Between variants of one benchmark (different questions or rules, so never merged): the benchmark's primary variant,
which is its newest harness, then the variant with the newest record.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from catalog.ranking.scores import Benchmark, Item, Mode, Score, ScoreSource

_INDEPENDENCE = {source: place for place, source in enumerate(ScoreSource)}
OWN = _INDEPENDENCE[ScoreSource.VENDOR]


class NotPreferred(StrEnum):
    """Why a record is not the preferred one: the first clause of the rule that it loses by."""

    COPIED = "copied"
    LESS_INDEPENDENT = "less-independent"
    OTHER_SETTINGS = "other-settings"
    OTHER_MODE = "other-mode"
    NOT_MEDIAN = "not-median"
    OLDER = "older"
    OTHER_VARIANT = "other-variant"


@dataclass(frozen=True, slots=True)
class Preference:
    """The record that counts, and the others with the reason why they do not."""

    score: Score
    others: tuple[tuple[Score, NotPreferred], ...] = ()


def independence(score: Score) -> int:
    """0 for the most independent. A leaderboard row that the vendor measured itself is a vendor's number."""
    return _INDEPENDENCE[ScoreSource.VENDOR if score.self_reported else score.source]


def preferred(records: Iterable[Score], benchmark: Benchmark) -> Preference:
    """The preferred record among those of one model on one item, in any order."""
    left = sorted(records, key=lambda score: score.key)
    if len(left) == 1:
        return Preference(left[0])
    if len({(score.model, score.item) for score in left}) != 1:
        raise ValueError("records of exactly one model on one item are expected")
    others: list[tuple[Score, NotPreferred]] = []

    def keep(kept: list[Score], reason: NotPreferred) -> list[Score]:
        others.extend((score, reason) for score in left if score not in kept)
        return kept

    by_vendor = {score.value for score in left if independence(score) == OWN}
    copied = [score for score in left if _measured_elsewhere(score) and score.value in by_vendor]
    left = keep([score for score in left if score not in copied], NotPreferred.COPIED)
    first = min(map(independence, left))
    left = keep([score for score in left if independence(score) == first], NotPreferred.LESS_INDEPENDENT)
    if any(score.default_settings for score in left):
        left = keep([score for score in left if score.default_settings], NotPreferred.OTHER_SETTINGS)

    by_mode: defaultdict[Mode, list[Score]] = defaultdict(list)
    for score in left:
        by_mode[score.mode].append(score)
    middles = {mode: _median(scores, benchmark) for mode, scores in by_mode.items()}
    best = max(middles, key=lambda mode: (_goodness(middles[mode], benchmark), mode))
    left = keep(by_mode[best], NotPreferred.OTHER_MODE)
    left = keep([score for score in left if score.value == middles[best]], NotPreferred.NOT_MEDIAN)
    newest = max(left, key=lambda score: (score.date, score.key))
    keep([newest], NotPreferred.OLDER)
    return Preference(newest, tuple(others))


def preferred_by_item(
    records: Iterable[Score], benchmarks: Mapping[str, Benchmark]
) -> dict[tuple[str, Item], Preference]:
    """The preferred record of each (model, item)."""
    cells: defaultdict[tuple[str, Item], list[Score]] = defaultdict(list)
    for score in records:
        cells[score.model, score.item].append(score)
    return {
        cell: preferred(scores, benchmarks[cell[1].benchmark]) for cell, scores in sorted(cells.items(), key=_place)
    }


def _place(held: tuple[tuple[str, Item], object]) -> tuple[str, str, str]:
    """By model, then item, in texts: a sort compares hundreds of thousands of them with each other."""
    (model, item), _scores = held
    return model, item.benchmark, item.variant


def headline(records: Iterable[Score], benchmark: Benchmark) -> Preference:
    """The one record that stands for a model on a benchmark, over all its variants."""
    records = list(records)
    cells = preferred_by_item(records, {benchmark.slug: benchmark})
    if len({model for model, _ in cells}) != 1:
        raise ValueError("records of exactly one model are expected")

    def order(preference: Preference) -> tuple[bool, str, str]:
        variant = preference.score.variant
        return variant == benchmark.primary_variant, preference.score.date, variant

    chosen = max(cells.values(), key=order)
    others = list(chosen.others)
    for preference in cells.values():
        if preference is not chosen:
            others.append((preference.score, NotPreferred.OTHER_VARIANT))
            others.extend((score, NotPreferred.OTHER_VARIANT) for score, _ in preference.others)
    return Preference(chosen.score, tuple(others))


def _measured_elsewhere(score: Score) -> bool:
    return score.source is ScoreSource.THIRD_PARTY and not score.self_reported


def _goodness(value: float, benchmark: Benchmark) -> float:
    return value if benchmark.higher_is_better else -value


def _median(scores: list[Score], benchmark: Benchmark) -> float:
    """The median value; of two middle ones the worse, so that it is always a number that was printed."""
    ordered = sorted((score.value for score in scores), key=lambda value: _goodness(value, benchmark))
    return ordered[(len(ordered) - 1) // 2]
