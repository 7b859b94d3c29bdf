from __future__ import annotations

from dataclasses import replace
from math import exp

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares

from catalog.ranking import fit as fit_module
from catalog.ranking.cells import REFERENCE_RATING, ScoreCell
from catalog.ranking.fit import fit
from catalog.ranking.holdout import hold_out
from catalog.ranking.intervals import drawn_abilities
from catalog.ranking.rule import ABILITY_PRIOR, DIFFICULTY_PRIOR, NOISE, OFFSET_PRIOR, SLOPE_PRIOR
from catalog.ranking.scores import Item
from catalog.ranking.table import Vector, table
from tests.catalog.ranking.worlds import make_world


def agreement(values: Vector) -> float:
    """Rank correlation of the values with the true order, which is that of the names."""
    return float(np.corrcoef(np.argsort(np.argsort(values)), np.arange(len(values)))[0, 1])


def test_the_true_order_is_recovered_though_weak_and_strong_models_were_tested_on_different_sets() -> None:
    world = make_world()
    found = table(world.cells())
    assert len(found.cells) < 0.6 * len(found.models) * len(found.items)
    assert found.models == tuple(world.abilities)
    assert agreement(fit(found).ability) > 0.998
    # a raw mean puts models that were shown easy sets too high
    assert agreement(np.bincount(found.model_of, found.shares) / np.bincount(found.model_of)) < 0.9


def test_noisy_scores_still_give_nearly_the_true_order() -> None:
    found = table(make_world(noise=4.0).cells())
    assert agreement(fit(found).ability) > 0.97
    assert hold_out(found).mean_error < 5.0  # 4 points of noise have a mean of 3.2


def test_the_solution_is_that_of_scipy() -> None:
    """Half of the models publish figures of their own, better by 0.3 in ability."""
    world = make_world(noise=6.0, models=20)
    cells = [replace(cell, own=int(cell.model[1:]) % 2 == 0) for cell in world.cells()]
    found = table([replace(cell, share=lifted(cell.share)) if cell.own else cell for cell in cells], min_models=3)
    models, items = len(found.models), len(found.items)

    def residuals(unknown: Vector) -> Vector:
        ability, difficulty, log_slope, offset = np.split(unknown, np.cumsum([models, items, items]))
        above = ability[found.model_of] + offset * found.own - difficulty[found.item_of]
        margin = np.exp(log_slope)[found.item_of] * above
        misfit = (1 / (1 + np.exp(-margin)) - found.shares) / NOISE * np.sqrt(found.weights)
        strengths = (ABILITY_PRIOR, DIFFICULTY_PRIOR, SLOPE_PRIOR, OFFSET_PRIOR)
        unknowns = (ability, difficulty, log_slope, offset)
        priors = (strength**0.5 * each for strength, each in zip(strengths, unknowns, strict=True))
        return np.concatenate((misfit, *priors))

    reference = least_squares(residuals, np.zeros(models + 2 * items + 1), loss="soft_l1", xtol=1e-13, gtol=1e-12)
    solution = fit(found)
    ours = np.concatenate((solution.ability, solution.difficulty, solution.log_slope, [solution.offset]))
    assert ours == pytest.approx(reference.x, abs=5e-4)


def lifted(share: float) -> float:
    """Better by 0.3 logits."""
    share = min(max(share, 0.001), 0.999)
    return 1 / (1 + (1 - share) / share * exp(-0.3))


def test_what_publishers_add_is_found_and_taken_off() -> None:
    """Every second score is its publisher's and 0.3 logits too good; the order of the models stays the true one."""
    cells = [
        replace(cell, own=place % 2 == 0, share=lifted(cell.share) if place % 2 == 0 else cell.share)
        for place, cell in enumerate(make_world().cells())
    ]
    solution = fit(table(cells))
    assert 0.15 < solution.offset < 0.4  # slopes are near 1, so a logit is about one unit of ability
    assert agreement(solution.ability) > 0.998


def test_a_suite_of_many_tasks_counts_once() -> None:
    cells = [ScoreCell("m", Item(f"euro-{task}"), 0.5, suite="euro") for task in "abcd"]
    found = table([*cells, ScoreCell("m", Item("aime-2025"), 0.5)], 1, 1)
    assert found.weights == pytest.approx([1, 0.25, 0.25, 0.25, 0.25])


def test_a_benchmark_with_many_variants_counts_once() -> None:
    cells = [ScoreCell("m", Item("livebench-math", release), 0.5) for release in ("a", "b", "c", "d")]
    found = table([*cells, ScoreCell("m", Item("aime-2025"), 0.5)], 1, 1)
    assert found.weights == pytest.approx([1, 0.25, 0.25, 0.25, 0.25])


def test_thin_models_and_items_go_until_none_is_left_over() -> None:
    cells = [ScoreCell(f"m{place}", Item(f"b{number}"), 0.5) for place in range(8) for number in range(4)]
    thin = [ScoreCell("thin", Item("b0"), 0.5), ScoreCell("m0", Item("rare"), 0.5)]
    assert table([*cells, *thin]) == table(cells)
    assert table(cells[:-1]).cells == ()  # one model fewer on b3, so b3 goes, and then everybody has too few


def test_only_models_on_one_scale_are_fitted_together() -> None:
    island = [ScoreCell(f"old{place}", Item("c-eval"), 0.5) for place in range(3)]
    mainland = [ScoreCell(f"new{place}", Item("aime-2025"), 0.5) for place in range(4)]
    assert table([*island, *mainland], 1, 1).cells == tuple(mainland)


def test_a_long_valley_is_gone_through_in_long_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """8,000 models, four of five with one rating each, all far below the reference: no shares tell the models apart,
    and slopes creep up. As made-up ratings once did; step by step it takes 2,600."""
    chance = np.random.default_rng(1)
    ability, difficulty = chance.normal(size=8000), chance.normal(size=3)
    cells = []
    for place in range(8000):
        for item in chance.choice(3, chance.choice([1, 2, 3], p=[0.81, 0.18, 0.01]), replace=False):
            rating = 1500 / (1 + np.exp(difficulty[item] - ability[place] - 0.3 * chance.normal()))
            share = float(1 / (1 + 10 ** ((REFERENCE_RATING - rating) / 400)))
            cells.append(ScoreCell(f"m{place:04}", Item(f"b{item}"), share))
    found = table(cells, 1, 1)
    monkeypatch.setattr(fit_module, "_STEPS", 1200)
    solution = fit(found)
    stepped = fit_module._Problem(found, found.shares, found.weights).step(solution, 0.0)
    assert stepped is not None
    assert stepped[1] < 1e-9  # no step promises more: it is a solution
    monkeypatch.setattr(fit_module, "_VALLEY", 1200)
    with pytest.raises(ArithmeticError):
        fit(found)


def test_nothing_to_fit_is_said() -> None:
    with pytest.raises(ValueError, match="no scores"):
        fit(table([]))


cells = st.builds(
    ScoreCell,
    st.sampled_from([f"m{place}" for place in range(12)]),
    st.sampled_from([Item(f"b{place % 3}", f"v{place}") for place in range(6)]),
    st.sampled_from([0.0, 0.2, 0.5, 0.999, 1.0]),
)


@settings(max_examples=60)
@given(st.lists(cells, min_size=1, max_size=60, unique_by=lambda cell: (cell.model, cell.item)), st.randoms())
def test_any_table_has_a_solution_that_its_order_does_not_change(drawn: list[ScoreCell], random: object) -> None:
    found = table(drawn, 1, 1)
    solution = fit(found)
    assert np.isfinite(solution.ability).all()
    random.shuffle(drawn)  # type: ignore[attr-defined]
    assert np.array_equal(fit(table(drawn, 1, 1)).ability, solution.ability)


def test_models_a_few_at_a_time_are_fitted_as_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    found = table(make_world(noise=5.0).cells())
    whole = fit(found)
    monkeypatch.setattr("catalog.ranking.fit._AT_ONCE", 7)  # of 40
    parts = fit(found)
    assert parts.ability == pytest.approx(whole.ability, abs=1e-9)
    assert parts.difficulty == pytest.approx(whole.difficulty, abs=1e-9)


@pytest.mark.parametrize("held", [1, 500, 10**6])
def test_noise_that_is_drawn_in_parts_is_the_same(held: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the last bit: a range of ranks follows from the seed alone."""
    found = table([replace(cell, error=0.03) for cell in make_world(noise=5.0).cells()])
    solution = fit(found)
    whole = drawn_abilities(found, solution, draws=9, seed=5)
    monkeypatch.setattr("catalog.ranking.intervals.MOST_NOISE", held)
    assert (drawn_abilities(found, solution, draws=9, seed=5) == whole).all()
