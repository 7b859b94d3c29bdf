from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from random import Random

import numpy as np
import pytest

from catalog.ranking.fit import fit
from catalog.ranking.intervals import interval, ranks, tiers
from catalog.ranking.publish import prepare, publish
from catalog.ranking.release import (
    Missing,
)
from catalog.ranking.report import lines
from catalog.ranking.scope import CODING, OVERALL, category_scopes
from catalog.ranking.scores import Benchmark, Candidate, Item, Score, by_benchmark
from catalog.ranking.table import table
from tests.catalog.ranking.worlds import World, rank_of, release


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
