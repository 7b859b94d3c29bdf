"""What moved since the release before, small enough to store: models that entered or left are counted, three named."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from catalog.ranking.changes import Cause, Change, ChangeReason, compare
from catalog.ranking.release import Input, Release

NAMED = 3


def changes(old: Release, old_inputs: Iterable[Input], new: Release) -> list[dict[str, Any]]:
    """`old` may lack its inputs, which are looked at one by one."""
    return [
        {"model": change.model, "old": change.old, "new": change.new, "reasons": _reasons(change)}
        for change in compare(old, new, old_inputs)
    ]


def _reasons(change: Change) -> list[dict[str, Any]]:
    own = [_reason(reason) for reason in change.reasons if reason.other is None]
    for cause in (Cause.MODEL_ENTERED, Cause.MODEL_LEFT):
        others = [reason.other for reason in change.reasons if reason.cause is cause]
        if others:
            own.append({"cause": cause.value, "others": others[:NAMED], "count": len(others)})
    return own


def _reason(reason: ChangeReason) -> dict[str, Any]:
    told: dict[str, Any] = {"cause": reason.cause.value}
    if reason.item is not None:
        told |= {"benchmark": reason.item.benchmark, "variant": reason.item.variant}
        told |= {"old": reason.old, "new": reason.new}
    return told
