from __future__ import annotations

from math import nan

import pytest

from catalog.ranking.cells import sampling_error, share
from catalog.ranking.printed import printed_error
from catalog.ranking.scores import Benchmark, Score

AIME = Benchmark("aime-2025", "math", questions={"": 30})
ERRORS = Benchmark("vectara-hallucination", "safety-factuality", higher_is_better=False)
ARENA = Benchmark("lmarena-text", "human-preference", scale_max=None)


@pytest.mark.parametrize(
    ("benchmark", "value", "expected"),
    [
        (AIME, 18.0, 0.18),
        (ERRORS, 8.2, 0.918),
        (ARENA, 1300.0, 0.5),
        (ARENA, 1700.0, 10 / 11),  # 400 points are odds of 10 to 1, by the definition of the rating
    ],
)
def test_every_scale_becomes_a_share_with_one_the_best(benchmark: Benchmark, value: float, expected: float) -> None:
    assert share(value, benchmark) == pytest.approx(expected)


@pytest.mark.parametrize("value", [-0.1, 100.1, nan, float("inf")])
def test_a_value_outside_the_scale_is_refused_by_name(value: float) -> None:
    with pytest.raises(ValueError, match="aime-2025"):
        share(value, AIME)


def test_the_sampling_error_of_an_accuracy_comes_from_the_number_of_questions() -> None:
    # sqrt(0.5 x 0.5 / 30): half of 30 AIME problems is good to 9 points
    assert sampling_error(Score("", "m", "aime-2025", 50.0), AIME) == pytest.approx(0.0912871)
    assert sampling_error(Score("", "m", "aime-2025", 50.0, "cons@64"), AIME) == 0  # not known for this variant


def test_a_printed_error_comes_before_the_computed_one() -> None:
    assert sampling_error(Score("", "m", "aime-2025", 50.0, standard_error=2.0), AIME) == pytest.approx(0.02)
    rating = Score("", "m", "lmarena-text", 1300.0, standard_error=4.0)
    assert sampling_error(rating, ARENA) == pytest.approx(share(1304.0, ARENA) - 0.5, rel=1e-3)


def test_the_interval_that_a_rating_prints_is_read() -> None:
    settings = "Bradley-Terry rating with style control, category 'full', 95% CI 1059.5 to 1082.4"
    assert printed_error(settings) == pytest.approx(22.9 / 3.92, rel=1e-3)
    assert printed_error("pass@1, 0-shot") is None
