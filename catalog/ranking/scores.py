"""What the ranking is told: models, benchmarks and scores, as plain values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache


class ScoreSource(StrEnum):
    """Who published a score, from the most to the least independent of the model's maker."""

    LEADERBOARD = "leaderboard"
    THIRD_PARTY = "third-party"
    VENDOR = "vendor"


class Mode(StrEnum):
    """Whether the model was run with its reasoning on. One checkpoint may have been run both ways."""

    UNSTATED = ""
    THINKING = "thinking"
    NON_THINKING = "non-thinking"


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A test. `scale_max` is None for a Bradley-Terry rating.

    `questions` is the number of independent questions by variant, for the variants whose number a source states; never
    for a mean of tasks, whose error is another. A `composite` is the mean of other benchmarks of the catalogue: it is
    shown, and left out of every fit. Benchmarks of one `suite` are run together by one harness, so that what goes wrong
    in one goes wrong in all: they count as one. `curt` are the variants whose harness leaves no room to think before
    the answer (it compares likelihoods, or allows a few hundred tokens).
    """

    slug: str
    category: str
    primary_variant: str = ""
    scale_max: float | None = 100.0
    higher_is_better: bool = True
    questions: Mapping[str, int] = field(default_factory=dict)
    composite: bool = False
    suite: str = ""
    curt: frozenset[str] = frozenset()

    @property
    def counted_with(self) -> str:
        return self.suite or self.slug


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that scores speak of.

    Only chat models (instruct, chat, reasoning) may be compared: a base model is prompted otherwise, with examples.
    A model that is not `listed` (closed weights) steadies the scale of a fit and never takes a place. One that `thinks`
    cannot answer without.
    """

    slug: str
    chat: bool = True
    listed: bool = True
    thinks: bool = False


@dataclass(frozen=True, slots=True)
class Score:
    """One published number. `value` and `standard_error` are in the benchmark's own units.

    `key` names the record (a row id, a file and line). `self_reported`: the model's own maker measured it, wherever
    it was printed. `date` is ISO, possibly only a year or a month. `default_settings` is False for runs that depart
    from the benchmark's rules (several attempts, another edit format). `standard_error` is what the source prints.
    """

    key: str
    model: str
    benchmark: str
    value: float
    variant: str = ""
    mode: Mode = Mode.UNSTATED
    source: ScoreSource = ScoreSource.THIRD_PARTY
    self_reported: bool = False
    date: str = ""
    default_settings: bool = True
    standard_error: float | None = None

    @property
    def item(self) -> Item:
        return _item(self.benchmark, self.variant)


@dataclass(frozen=True, order=True, slots=True)
class Item:
    """A benchmark in one variant: the same questions and rules, so that scores may be compared."""

    benchmark: str
    variant: str = ""

    def __str__(self) -> str:
        return f"{self.benchmark} / {self.variant}" if self.variant else self.benchmark


Scores = Mapping[str, Iterable[Score]]
"""By benchmark, so that those of one are looked at at a time: of 20,000 models there are 400,000."""


def by_benchmark(scores: Iterable[Score]) -> Scores:
    found: defaultdict[str, list[Score]] = defaultdict(list)
    for score in scores:
        found[score.benchmark].append(score)
    return found


@cache
def _item(benchmark: str, variant: str) -> Item:
    """One object for all scores of an item: what is looked up by it is found without comparing texts."""
    return Item(benchmark, variant)
