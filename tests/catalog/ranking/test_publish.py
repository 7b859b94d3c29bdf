from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from catalog.ranking.changes import Cause, ChangeReason, compare
from catalog.ranking.fit import fit
from catalog.ranking.intervals import interval, ranks, tiers
from catalog.ranking.publish import prepare, publish
from catalog.ranking.release import (
    Missing,
    Release,
    from_json,
    inputs_in,
    to_json,
    without_inputs,
    without_inputs_and_ranks,
    without_models,
)
from catalog.ranking.report import lines
from catalog.ranking.scope import CODING, OVERALL, Scope, category_scopes
from catalog.ranking.scores import Benchmark, Candidate, Item, Score, by_benchmark
from catalog.ranking.table import table
from tests.catalog.ranking.worlds import World, make_world

DRAWS = 20


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


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def noisy() -> World:
    return make_world(noise=5.0)


def test_the_order_of_the_input_changes_nothing(noisy: World) -> None:
    shuffled, pool = list(noisy.scores), noisy.candidates
    Random(3).shuffle(shuffled)
    Random(4).shuffle(pool)
    assert release(noisy, shuffled, pool) == release(noisy)


def test_every_place_lies_in_its_range_and_every_listed_model_is_somewhere(noisy: World) -> None:
    found = release(noisy)
    assert all(1 <= place.low <= place.rank <= place.high <= len(found.ranked) for place in found.ranked)
    assert [place.tier for place in found.ranked] == sorted(place.tier for place in found.ranked)
    named = [place.model for place in found.ranked] + [model.model for model in found.unranked]
    assert sorted(named) == sorted(noisy.abilities)
    assert any(place.low < place.high for place in found.ranked)


def test_a_model_without_the_minimum_is_not_ranked_and_told_what_it_has(world: World) -> None:
    dropped = [score for score in world.scores if score.model == "m30"][3:]
    few = [score for score in world.scores if score not in dropped]
    narrow = [  # b02, b03, b08 and b09 are coding and agentic coding, b04 is long context
        Score(f"narrow/{slug}", "narrow", slug, 50.0) for slug in ("b02", "b03", "b08", "b09", "b04", "b10")
    ]
    pool = [*world.candidates, Candidate("narrow"), Candidate("base", chat=False), Candidate("nothing")]
    found = {model.model: model for model in release(world, [*few, *narrow], pool).unranked}
    assert (found["m30"].reason, found["m30"].benchmarks) == (Missing.BENCHMARKS, 3)
    assert (found["narrow"].reason, found["narrow"].benchmarks, found["narrow"].categories) == (
        Missing.CATEGORIES,
        6,
        3,
    )
    assert (found["nothing"].reason, found["nothing"].benchmarks) == (Missing.BENCHMARKS, 0)
    assert found["base"].reason is Missing.BASE_MODEL


def test_base_models_count_nowhere(world: World) -> None:
    base = [replace(score, key=f"base/{score.key}", model="base") for score in world.scores if score.model == "m39"]
    with_base = release(world, [*world.scores, *base], [*world.candidates, Candidate("base", chat=False)])
    assert with_base.ranked == release(world).ranked


def test_anchors_steady_the_scale_and_take_no_place(world: World) -> None:
    pool = [Candidate(model, listed=model != "m39") for model in world.abilities]
    found = release(world, candidates=pool)
    assert (found.anchors, found.fitted) == (1, 40)
    assert "m39" not in rank_of(found)
    assert "m39" not in {model.model for model in found.unranked}
    everybody = rank_of(release(world))
    assert rank_of(found) == {model: rank - 1 for model, rank in everybody.items() if model != "m39"}


def test_a_composite_is_not_counted_beside_its_parts(world: World) -> None:
    mean = Benchmark("livebench", "general-knowledge", composite=True)
    extra = [Score(f"{model}/mean", model, "livebench", 100.0 * (model == "m00")) for model in world.abilities]
    with_mean = by_benchmark([*world.scores, *extra]), [*world.benchmarks.values(), mean]
    problem = prepare(OVERALL, *with_mean, world.candidates)
    without = by_benchmark(world.scores), world.benchmarks.values()
    assert problem.inputs == prepare(OVERALL, *without, world.candidates).inputs


def test_equal_models_share_a_rank(world: World) -> None:
    twin = [replace(score, key=f"twin/{score.key}", model="twin") for score in world.scores if score.model == "m20"]
    found = release(world, [*world.scores, *twin], [*world.candidates, Candidate("twin")])
    places = {place.model: place for place in found.ranked}
    assert places["twin"].rank == places["m20"].rank
    assert places["twin"].index == places["m20"].index
    assert max(rank_of(found).values()) == len(found.ranked)


@pytest.mark.parametrize("lift", [1.0, 5.0, 20.0])
def test_raising_a_score_never_lowers_its_model(noisy: World, lift: float) -> None:
    cells = noisy.cells()
    before = table(cells)
    first = fit(before)
    for place in range(0, len(cells), 7):
        raised = list(cells)
        raised[place] = replace(cells[place], share=min(1.0, cells[place].share + lift / 100))
        after = fit(table(raised))
        model = before.models.index(cells[place].model)
        assert after.ability[model] >= first.ability[model] - 1e-9
        assert ranks(after.ability)[model] <= ranks(first.ability)[model]


def test_a_model_weak_everywhere_does_not_reorder_the_others(world: World) -> None:
    weak = [Score(f"weak/{slug}", "weak", slug, 2.0) for slug in world.benchmarks]
    found = release(world, [*world.scores, *weak], [*world.candidates, Candidate("weak")])
    assert found.ranked[-1].model == "weak"
    assert [place.model for place in found.ranked[:-1]] == [place.model for place in release(world).ranked]


def test_the_coding_rank_reads_coding_alone(world: World) -> None:
    found = release(world, scope=CODING)
    assert {read.item.benchmark for read in found.inputs} == {"b02", "b03", "b08", "b09"}
    assert all(len(place.benchmarks) >= 3 for place in found.ranked)


def test_a_category_of_one_benchmark_is_ranked_with_the_range_that_its_questions_allow() -> None:
    ifeval = Benchmark("ifeval", "instruction-following", questions={"": 541})
    scores = [Score(f"m{place}", f"m{place}", "ifeval", 60.0 + place) for place in range(20)]
    (scope,) = category_scopes([ifeval])
    assert (scope.key, scope.min_benchmarks) == ("category/instruction-following", 1)
    pool = [Candidate(score.model) for score in scores]
    found = publish(prepare(scope, by_benchmark(scores), [ifeval], pool), "2026-01-31")
    assert [place.model for place in found.ranked] == [f"m{place}" for place in reversed(range(20))]
    middle = found.ranked[10]  # one standard error is 2 points, so 2 places
    assert 4 <= middle.high - middle.low <= 11


def test_too_few_models_give_no_ranking_rather_than_an_error(world: World) -> None:
    found = release(world, scores=[])
    assert (found.ranked, len(found.unranked), found.fitted) == ((), 40, 0)


def test_a_score_of_an_unknown_benchmark_or_beyond_its_scale_is_refused(world: World) -> None:
    with pytest.raises(KeyError, match="nobody-knows"):
        release(world, [Score("x", "m00", "nobody-knows", 1.0)])
    with pytest.raises(ValueError, match="b00"):
        release(world, [Score("x", "m00", "b00", 101.0)])


def test_the_hash_names_what_was_ranked_and_not_where_it_was_stored(world: World) -> None:
    def fingerprint(scores: Iterable[Score] = world.scores, **options: int) -> str:
        return prepare(OVERALL, by_benchmark(scores), world.benchmarks.values(), world.candidates, **options).input_hash

    rekeyed = [replace(score, key=f"row {score.key}") for score in world.scores]
    changed = [replace(world.scores[0], value=world.scores[0].value / 2), *world.scores[1:]]
    assert fingerprint(rekeyed) == fingerprint()
    assert len({fingerprint(), fingerprint(changed), fingerprint(seed=1), fingerprint(draws=5)}) == 4


@pytest.mark.parametrize(
    "fact",
    [
        {"higher_is_better": False},
        {"category": "multilingual"},
        {"primary_variant": "hard"},
        {"scale_max": 101.0},
    ],
    ids=lambda fact: next(iter(fact)),
)
def test_the_hash_names_what_a_benchmark_is(world: World, fact: dict[str, object]) -> None:
    """A board is computed anew where the hash differs. Each of these moves ranks, categories or the index."""

    def fingerprint(benchmark: Benchmark) -> str:
        return prepare(OVERALL, {}, [benchmark], world.candidates).input_hash

    benchmark = world.benchmarks["b00"]
    assert fingerprint(replace(benchmark, **fact)) != fingerprint(benchmark)  # type: ignore[arg-type]


@pytest.fixture
def two_harnesses(world: World) -> World:
    """Two benchmarks have a second, easier variant, which helps the fit."""
    easy = tuple(
        replace(score, key=f"easy/{score.key}", variant="easy", value=50 + score.value / 2)
        for score in world.scores
        if score.benchmark in ("b04", "b05")
    )
    return replace(world, scores=world.scores + easy)


def test_the_index_is_the_mean_over_primary_variants(two_harnesses: World) -> None:
    world, found = two_harnesses, release(two_harnesses)
    assert found.basket == tuple(Item(slug) for slug in world.benchmarks)
    problem = prepare(OVERALL, by_benchmark(world.scores), world.benchmarks.values(), world.candidates)
    solution = fit(problem.table)
    primary = np.array([place for place, item in enumerate(problem.table.items) if not item.variant])
    for place in found.ranked:
        model = np.full_like(primary, problem.table.models.index(place.model))
        assert place.index == pytest.approx(100 * solution.expected(model, primary).mean(), abs=0.005)


def test_where_no_primary_variant_is_fitted_the_index_takes_all(two_harnesses: World) -> None:
    primary = {slug: replace(benchmark, primary_variant="new") for slug, benchmark in two_harnesses.benchmarks.items()}
    found = release(replace(two_harnesses, benchmarks=primary))
    assert set(found.basket) == {score.item for score in two_harnesses.scores}


def test_a_release_survives_storage(noisy: World) -> None:
    found = release(noisy)
    assert from_json(b"".join(to_json(found))) == found
    with pytest.raises(ValidationError):
        from_json(b"{}")


@pytest.mark.parametrize("size", [1, 7, 64, 10**6])
def test_the_summary_of_a_document_is_read_from_pieces_of_any_size(noisy: World, size: int) -> None:
    """Marks may be cut in two, and a name may hold what looks like one: its quotes are escaped."""
    found = release(noisy, candidates=[*noisy.candidates, Candidate('a],"unranked":[,"inputs":[b')])
    assert min(map(len, (found.inputs, found.ranked, found.unranked))) > 0
    text = b"".join(to_json(found))
    pieces = (text[start : start + size] for start in range(0, len(text), size))
    assert without_inputs_and_ranks(pieces) == replace(found, inputs=(), ranked=())
    with pytest.raises(ValidationError):
        without_inputs_and_ranks([text[: len(text) // 2]])


@pytest.mark.parametrize("size", [1, 7, 64, 10**6])
@pytest.mark.parametrize(
    "left_out",
    [
        lambda models: set(),
        lambda models: {"unknown"},
        lambda models: {models[0]},
        lambda models: {models[-1]},
        lambda models: set(models[::2]),
        lambda models: set(models[3:]),
        lambda models: set(models),
    ],
    ids=["nothing", "unknown", "first", "last", "every second", "nearly all", "all"],
)
def test_a_document_is_told_without_some_models(
    noisy: World, left_out: Callable[[list[str]], set[str]], size: int
) -> None:
    """Of each list the first entries may go, the last ones, or all, and a name may hold what looks like an entry."""
    found = release(noisy, candidates=[*noisy.candidates, Candidate('a"},{"model":"b"}],"unranked":[')])
    lists: dict[str, tuple[Any, ...]] = {name: getattr(found, name) for name in ("inputs", "ranked", "unranked")}
    drafts = left_out(list(dict.fromkeys(each.model for entries in lists.values() for each in entries)))
    text = b"".join(to_json(found))
    pieces = (text[start : start + size] for start in range(0, len(text), size))
    told = b"".join(without_models(pieces, drafts))
    kept: dict[str, Any] = {
        name: tuple(each for each in entries if each.model not in drafts) for name, entries in lists.items()
    }
    assert from_json(told) == replace(found, **kept)
    withheld = sum(len(entries) - len(kept[name]) for name, entries in lists.items())
    assert json.loads(told).get("withheld", 0) == withheld
    assert withheld or told == text


@pytest.mark.parametrize("size", [1, 7, 64, 10**6])
@pytest.mark.parametrize("at_once", [1, 100, 10**6])
def test_the_inputs_of_a_document_are_read_apart_from_the_rest(
    noisy: World, size: int, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = [replace(score, key='},{"model":"],"ranked":[', variant="x},{") for score in noisy.scores[:9]]
    found = release(noisy, [*odd, *noisy.scores[9:]])
    monkeypatch.setattr("catalog.ranking.release.PIECE", at_once)
    text = b"".join(to_json(found))
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    assert tuple(inputs_in(pieces)) == found.inputs
    assert len(found.inputs) == len(noisy.scores)
    assert without_inputs(pieces) == replace(found, inputs=())
    with pytest.raises(ValidationError):
        list(inputs_in([text[: len(text) // 4]]))


@pytest.mark.parametrize("batch", [1, 3, 10**6])
def test_a_document_in_pieces_is_what_it_is_as_a_whole(
    noisy: World, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catalog.ranking.release._BATCH", batch)
    for found in (release(noisy), release(noisy, scores=[])):
        assert b"".join(to_json(found)) == TypeAdapter(Release).dump_json(found)


def test_the_report_says_the_minimum_and_the_reasons(world: World) -> None:
    text = "\n".join(lines(release(world, candidates=[*world.candidates, Candidate("nothing")]), 280, top=3))
    assert "280 scores" in text
    assert "at least 6 benchmarks in 4 categories" in text
    assert "not ranked, too-few-benchmarks: " in text
    assert "m39" in text


def test_ranks_leave_a_gap_after_a_tie() -> None:
    assert ranks(np.array([0.5, 2.0, 0.5, -1.0])).tolist() == [2, 1, 2, 4]


def test_a_range_holds_its_rank_and_leaves_out_the_tails() -> None:
    assert interval([*range(1, 101)], 50) == (5, 96)
    assert interval([7] * 20, 5) == (5, 7)


def test_a_tier_ends_where_the_range_of_its_first_model_ends() -> None:
    assert tiers([(1, 3), (1, 4), (3, 5), (4, 6), (5, 9), (7, 8)]) == [1, 1, 1, 2, 2, 3]


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


def test_equal_documents_are_the_same_bytes(noisy: World) -> None:
    scope = replace(OVERALL, categories=frozenset("hgfedcba"))
    assert b'["a","b","c","d","e","f","g","h"]' in b"".join(to_json(replace(release(noisy), scope=scope)))
