"""Who won nearly all common tests does not stand below."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.ranking import head_to_head
from catalog.ranking.cells import ScoreCell
from catalog.ranking.head_to_head import decided, in_order, respecting
from catalog.ranking.scores import Item
from catalog.ranking.table import Table


def met(mine: list[float], yours: list[float], suites: list[str] | None = None) -> list[tuple[int, int]]:
    cells = [
        ScoreCell(model, Item(f"b{place}"), share, suite=suites[place] if suites else "")
        for model, shares in (("a", mine), ("b", yours))
        for place, share in enumerate(shares)
    ]
    return decided(Table(tuple(sorted(cells))), [0, 1])


@pytest.mark.parametrize(
    ("mine", "yours", "pairs"),
    [
        ([0.5] * 6, [0.4] * 6, [(0, 1)]),
        ([0.4] * 6, [0.5] * 6, [(1, 0)]),
        ([0.5] * 5, [0.4] * 5, []),  # five in common are too few
        ([0.5] * 5 + [0.3], [0.4] * 6, [(0, 1)]),  # 5 of 6 are 83%
        ([0.5] * 4 + [0.3] * 2, [0.4] * 6, []),  # 4 of 6 are 67%
        ([0.5] * 4 + [0.4] * 2, [0.4] * 6, []),  # a draw is no win
    ],
)
def test_clear_pairs(mine: list[float], yours: list[float], pairs: list[tuple[int, int]]) -> None:
    assert met(mine, yours) == pairs


def test_a_suite_is_one_test() -> None:
    suites = ["euro"] * 6 + [""] * 5
    assert met([0.5] * 11, [0.4] * 11, suites) == [(0, 1)]
    assert met([0.5] * 10, [0.4] * 10, suites[:10]) == []
    assert met([0.3] * 2 + [0.5] * 9, [0.4] * 11, suites) == [(0, 1)]  # ahead in 4 of its 6 tasks


def test_with_abilities_only_what_stands_upside_down() -> None:
    cells = tuple(
        ScoreCell(model, Item(f"b{place}"), share) for model, share in (("a", 0.5), ("b", 0.4)) for place in range(6)
    )
    found = Table(cells)
    assert decided(found, [0, 1], np.array([1.0, 0.0])) == []
    assert decided(found, [0, 1], np.array([0.0, 1.0])) == [(0, 1)]
    assert in_order(found, [0, 1], np.array([0.0, 1.0])) == pytest.approx([0.5, 0.5])


def test_nothing_moves_where_nobody_is_upside_down() -> None:
    ability = np.array([1.0, 0.0, -1.0])
    assert respecting(ability, [(0, 1), (1, 2)], np.ones(3)) == pytest.approx(ability)


def test_who_has_little_evidence_moves_most() -> None:
    assert respecting(np.array([0.0, 1.0]), [(0, 1)], np.array([9.0, 1.0])) == pytest.approx([0.1, 0.1])


def test_a_ring_comes_level() -> None:
    assert respecting(np.array([0.0, 1.0, 2.0]), [(0, 1), (1, 2), (2, 0)], np.ones(3)) == pytest.approx([1.0] * 3)


pairs = st.tuples(st.integers(0, 7), st.integers(0, 7)).filter(lambda pair: pair[0] != pair[1])


@given(
    st.lists(st.floats(-3, 3), min_size=8, max_size=8),
    st.lists(pairs, max_size=20, unique=True),
    st.lists(st.floats(0.5, 20), min_size=8, max_size=8),
)
def test_no_loser_stands_above_and_the_weighted_mean_stays(
    ability: list[float], pairs: list[tuple[int, int]], evidence: list[float]
) -> None:
    weights = np.array(evidence)
    moved = respecting(np.array(ability), pairs, weights)
    assert all(moved[loser] <= moved[winner] + 1e-6 for winner, loser in pairs)
    assert moved @ weights == pytest.approx(np.array(ability) @ weights, abs=1e-6)


def test_of_too_many_models_pairs_are_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    cells = [ScoreCell(f"m{place}", Item(f"b{item}"), place / 10) for place in range(8) for item in range(7)]
    found = Table(tuple(sorted(cells)))
    upside_down = np.arange(8, 0, -1.0)
    places = list(range(8))
    assert list(in_order(found, places, upside_down)) != list(upside_down)
    monkeypatch.setattr(head_to_head, "MOST", 7)
    assert in_order(found, places, upside_down) is upside_down
