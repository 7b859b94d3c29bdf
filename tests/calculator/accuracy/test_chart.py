"""The plot of predictions against truth."""

from __future__ import annotations

import re

from calculator.accuracy import Case, cases
from calculator.accuracy_chart import BOTTOM, LEFT, RIGHT, TOP, plot


def case(predicted: int, truth: int, **naive: int) -> Case:
    return Case(model="m", engine="e", quantity="q", predicted=predicted, truth=truth, naive=naive, origin="a test")


def places(path: str) -> list[tuple[int, int]]:
    return [(int(x), int(y)) for x, y in re.findall(r"M(\d+) (\d+)h0", path)]


def test_what_is_right_lies_on_the_diagonal() -> None:
    drawn = plot([case(10, 10), case(1000, 1000), case(100, 1000, hidden_size=10)], ["hidden_size"])
    assert drawn
    naive, ours = drawn.dots
    assert [naive.formula, ours.formula] == ["hidden_size", ""]
    assert set(places(ours.path)) == {(LEFT, BOTTOM), (RIGHT, TOP), (RIGHT, (TOP + BOTTOM) // 2)}
    assert places(naive.path) == [(RIGHT, BOTTOM)]
    assert [mark.value for mark in drawn.marks] == [10, 100, 1000]


def test_nothing_has_no_place_on_a_logarithmic_axis() -> None:
    drawn = plot([case(0, 10), case(5, 0), case(100, 100)], [])
    assert drawn
    assert len(places(drawn.dots[0].path)) == 1
    assert plot([case(1, 1)], []) is None
    assert plot([], []) is None


def test_every_quantity_draws_inside_its_frame() -> None:
    for quantity in {(each.engine, each.quantity) for each in cases()}:
        found = [each for each in cases() if (each.engine, each.quantity) == quantity]
        drawn = plot(found, sorted({formula for each in found for formula in each.naive}))
        for dots in drawn.dots if drawn else ():
            assert all(LEFT <= x <= RIGHT and TOP <= y <= BOTTOM for x, y in places(dots.path)), quantity
            assert len(dots.path) < 12_000  # a page stays small
