"""Constants that were fitted: the fit itself, what it says of the numbers in use, and what is held out."""

from __future__ import annotations

import pytest

from calculator.accuracy.fitted import Constant, Line, Sample, _line, fit, lines
from calculator.labels.accuracy import CONSTANTS


def test_a_line_without_noise_is_found_again() -> None:
    samples = [Sample(str(x), (1, x), 7 + 3 * x) for x in (1, 10, 100)]
    assert fit(samples) == pytest.approx((7, 3))
    assert fit([Sample("a", (4,), 10)]) == pytest.approx((2.5,))


def test_errors_are_relative() -> None:
    """Two figures that contradict each other: the small one counts as much as the large one."""
    assert fit([Sample("a", (1,), 1), Sample("b", (1,), 100)]) == pytest.approx((1.01 / 1.0001,), rel=1e-6)


@pytest.mark.parametrize("features", [(1, 10), (1, 0)])
def test_what_is_not_settled_is_not_guessed(features: tuple[float, float]) -> None:
    """One figure, or one without several cards, does not tell two numbers apart."""
    assert fit([Sample("a", features, 5), Sample("b", features, 6)]) is None
    assert fit([]) is None


@pytest.mark.parametrize("line", lines(), ids=lambda line: line.constant.key)
def test_the_numbers_in_use_are_as_good_as_a_fit(line: Line) -> None:
    """They are round, and the larger where figures differ; the squares of relative errors favour the smaller ones."""
    assert line.constant.key in CONSTANTS
    assert len(line.refit) == len(line.constant.used)
    refit = Constant(line.constant.key, line.refit, line.constant.samples)
    assert _squares(line.constant) <= 2.6 * _squares(refit)


def test_what_is_held_out_is_predicted_worse() -> None:
    for line in lines():
        if line.held_out_median is not None:
            assert line.held_out_median >= 0.9 * line.fitted_median


def test_constants_of_one_family_have_nothing_held_out() -> None:
    alone = Constant("vllm_graphs", (2.0,), (Sample("llama", (1,), 2), Sample("llama", (2,), 3)))
    assert _line(alone).held_out_median is None


def _squares(constant: Constant) -> float:
    return sum(
        (sum(n * f for n, f in zip(constant.used, sample.features, strict=True)) / sample.truth - 1) ** 2
        for sample in constant.samples
    )
