"""What moved between two releases, and why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from catalog.ranking.changes import Cause, ChangeReason, compare
from catalog.ranking.release import Release
from catalog.ranking.scope import CODING
from tests.catalog.ranking.worlds import World, release


def reasons(old: Release, new: Release) -> dict[str, tuple[int | None, int | None, tuple[ChangeReason, ...]]]:
    return {change.model: (change.old, change.new, change.reasons) for change in compare(old, new)}


def test_a_changed_score_is_named_with_both_values(world: World) -> None:
    changed = {score.key for score in world.scores if score.model == "m39"} - {"m39/b04", "m39/b05", "m39/b06"}
    worse = [replace(score, value=score.value / 4) if score.key in changed else score for score in world.scores]
    found = reasons(release(world), release(world, worse))
    old, new, why = found["m39"]
    assert old == 1
    assert new is not None
    assert new > 1
    assert {reason.cause for reason in why} == {Cause.CHANGED_SCORE}
    assert {f"m39/{reason.item}" for reason in why} == changed
    assert all(reason.new == pytest.approx((reason.old or 0) / 4) for reason in why)
    assert found["m38"][2][0].cause is Cause.REFIT


def test_a_model_that_enters_pushes_the_others_and_is_named(world: World) -> None:
    without = [score for score in world.scores if score.model != "m20"]
    pool = [candidate for candidate in world.candidates if candidate.slug != "m20"]
    found = reasons(release(world, without, pool), release(world))
    assert found["m20"][0] is None
    assert {reason.cause for reason in found["m20"][2]} == {Cause.NEW_SCORE}
    assert found["m05"][2] == (ChangeReason(Cause.MODEL_ENTERED, other="m20"),)
    assert "m39" not in found
    left = reasons(release(world), release(world, without, pool))
    assert left["m05"][2] == (ChangeReason(Cause.MODEL_LEFT, other="m20"),)
    assert {reason.cause for reason in left["m20"][2]} == {Cause.REMOVED_SCORE}


def test_nothing_changed_is_nothing_listed_and_scopes_do_not_mix(world: World) -> None:
    assert list(compare(release(world), release(world))) == []
    with pytest.raises(ValueError, match="overall and coding"):
        list(compare(release(world), release(world, scope=CODING)))


def test_another_method_is_the_cause_it_is(world: World) -> None:
    old = release(world)
    new = replace(old, method="2", ranked=tuple(replace(place, rank=41 - place.rank) for place in old.ranked))
    assert all(change.reasons == (ChangeReason(Cause.METHOD),) for change in compare(old, new))
