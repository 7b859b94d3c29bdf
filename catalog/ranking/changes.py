"""What moved between two releases of one scope, and why."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from heapq import merge
from itertools import groupby
from operator import itemgetter

from catalog.ranking.release import Input, Release
from catalog.ranking.scores import Item


class Cause(StrEnum):
    NEW_SCORE = "new-score"
    CHANGED_SCORE = "changed-score"
    REMOVED_SCORE = "removed-score"
    MODEL_ENTERED = "model-entered"
    MODEL_LEFT = "model-left"
    METHOD = "method"
    REFIT = "refit"


@dataclass(frozen=True, slots=True)
class ChangeReason:
    """One cause: the item with its old and new value for a score of the model itself, the `other` model for a model
    that entered or left above it, nothing for a new method or for a refit to other models' scores."""

    cause: Cause
    item: Item | None = None
    old: float | None = None
    new: float | None = None
    other: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A model's rank before and after; None where it had or has none."""

    model: str
    old: int | None
    new: int | None
    reasons: tuple[ChangeReason, ...]


def compare(old: Release, new: Release, old_inputs: Iterable[Input] | None = None) -> Iterator[Change]:
    """Every model whose rank changed, in the order of the new ranks, those that lost theirs last.

    A change that models entering and leaving above account for in full is theirs alone; where some movement is left
    that no score of the model itself explains, the refit is named. `old_inputs`, where `old` was read without them,
    are looked at one by one. Raises ValueError for releases of different scopes.
    """
    if old.scope.key != new.scope.key:
        raise ValueError(f"{old.scope.key} and {new.scope.key} rank different things")
    before = {ranked.model: ranked.rank for ranked in old.ranked}
    after = {ranked.model: ranked.rank for ranked in new.ranked}
    entered, left = _Others(after, before, Cause.MODEL_ENTERED), _Others(before, after, Cause.MODEL_LEFT)
    own = _own_scores(old.inputs if old_inputs is None else old_inputs, new.inputs)
    other_rules = (old.method, old.seed, old.draws, old.scope) != (new.method, new.seed, new.draws, new.scope)
    for model in [*after, *(model for model in before if model not in after)]:
        was, now = before.get(model), after.get(model)
        if was == now:
            continue
        reasons = list(own.get(model, ()))
        if other_rules:
            reasons.append(ChangeReason(Cause.METHOD))
        if was is not None and now is not None:
            came, went = entered.above(now), left.above(was)
            reasons += [*came, *went]
            unexplained = now - was != len(came) - len(went) and not own.get(model) and not other_rules
        else:
            unexplained = not reasons
        if unexplained:
            reasons.append(ChangeReason(Cause.REFIT))
        yield Change(model, was, now, tuple(reasons))


class _Others:
    """Models that have a rank among `these` and none among `those`, which are by rank."""

    def __init__(self, these: dict[str, int], those: dict[str, int], cause: Cause) -> None:
        found = [(rank, model) for model, rank in these.items() if model not in those]
        self._ranks = [rank for rank, _model in found]
        self._reasons = [ChangeReason(cause, other=model) for _rank, model in found]

    def above(self, rank: int) -> Sequence[ChangeReason]:
        return self._reasons[: bisect_left(self._ranks, rank)]


def _own_scores(old: Iterable[Input], new: Iterable[Input]) -> dict[str, list[ChangeReason]]:
    """The new, changed and removed scores of each model. Both stand in the order of their models and items, so that
    two are looked at at a time: of 20,000 models there are 400,000."""
    own: defaultdict[str, list[ChangeReason]] = defaultdict(list)
    for (model, *named), told in groupby(merge(_told(old, 0), _told(new, 1)), key=itemgetter(0)):
        values = {release: value for _place, release, value in told}
        item, was, now = Item(*named), values.get(0), values.get(1)
        if was is None:
            own[model].append(ChangeReason(Cause.NEW_SCORE, item, None, now))
        elif now is None:
            own[model].append(ChangeReason(Cause.REMOVED_SCORE, item, was, None))
        elif was != now:
            own[model].append(ChangeReason(Cause.CHANGED_SCORE, item, was, now))
    return own


def _told(inputs: Iterable[Input], release: int) -> Iterator[tuple[tuple[str, str, str], int, float]]:
    return (((read.model, read.item.benchmark, read.item.variant), release, read.value) for read in inputs)
