"""What moved between two releases of one scope, and why."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum

from catalog.ranking.release import Release
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


def compare(old: Release, new: Release) -> tuple[Change, ...]:
    """Every model whose rank changed, in the order of the new ranks, those that lost theirs last.

    A change that models entering and leaving above account for in full is theirs alone; where some movement is left
    that no score of the model itself explains, the refit is named.
    """
    if old.scope.key != new.scope.key:
        raise ValueError(f"{old.scope.key} and {new.scope.key} rank different things")
    before = {ranked.model: ranked.rank for ranked in old.ranked}
    after = {ranked.model: ranked.rank for ranked in new.ranked}
    own = _own_scores(old, new)
    other_rules = (old.method, old.seed, old.draws, old.scope) != (new.method, new.seed, new.draws, new.scope)
    changes = []
    for model in [*after, *(model for model in before if model not in after)]:
        was, now = before.get(model), after.get(model)
        if was == now:
            continue
        reasons = list(own.get(model, ()))
        if other_rules:
            reasons.append(ChangeReason(Cause.METHOD))
        if was is not None and now is not None:
            entered = [other for other, rank in after.items() if other not in before and rank < now]
            left = [other for other, rank in before.items() if other not in after and rank < was]
            reasons += [ChangeReason(Cause.MODEL_ENTERED, other=other) for other in entered]
            reasons += [ChangeReason(Cause.MODEL_LEFT, other=other) for other in left]
            unexplained = now - was != len(entered) - len(left) and not own.get(model) and not other_rules
        else:
            unexplained = not reasons
        if unexplained:
            reasons.append(ChangeReason(Cause.REFIT))
        changes.append(Change(model, was, now, tuple(reasons)))
    return tuple(changes)


def _own_scores(old: Release, new: Release) -> dict[str, list[ChangeReason]]:
    """The new, changed and removed scores of each model."""
    before = {(read.model, read.item): read.value for read in old.inputs}
    after = {(read.model, read.item): read.value for read in new.inputs}
    own: defaultdict[str, list[ChangeReason]] = defaultdict(list)
    for model, item in sorted(before.keys() | after.keys()):
        was, now = before.get((model, item)), after.get((model, item))
        if was is None:
            own[model].append(ChangeReason(Cause.NEW_SCORE, item, None, now))
        elif now is None:
            own[model].append(ChangeReason(Cause.REMOVED_SCORE, item, was, None))
        elif was != now:
            own[model].append(ChangeReason(Cause.CHANGED_SCORE, item, was, now))
    return own
