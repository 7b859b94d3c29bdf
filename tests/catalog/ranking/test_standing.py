from __future__ import annotations

import pytest

from catalog.ranking.scores import Benchmark, Candidate, Item, Score
from catalog.ranking.standing import standings

AIME = Benchmark("aime-2025", "math", questions={"": 30})


def placed(values: dict[str, float], benchmark: Benchmark = AIME, **facts: object) -> list[tuple[str, int, int, bool]]:
    scores = [Score(model, model, benchmark.slug, value, **facts) for model, value in values.items()]  # type: ignore[arg-type]
    found = standings(scores, benchmark, [Candidate(model) for model in values])
    return [(place.score.model, place.rank, place.of, place.tied) for places in found.values() for place in places]


def test_models_within_one_standard_error_share_a_rank_and_the_next_counts_everybody_above() -> None:
    # at 80% of 30 questions one standard error is 7.3 points; at 60% it is 8.9
    assert placed({"a": 80.0, "b": 73.4, "c": 60.0, "d": 50.0}) == [
        ("a", 1, 4, True), ("b", 1, 4, True), ("c", 3, 4, False), ("d", 4, 4, False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("best", "second", "tied"),
    [
        # of 30 questions: one standard error is 5.5 points at 90%, 6.8 at 83.5%, 6.9 at 17%, 5.6 at 10.5%
        (90.0, 83.5, True),  # by the error of the second
        (17.0, 10.5, True),  # by that of the first
        (90.0, 83.0, False),  # 6.9 points at 83%
        (17.0, 10.0, False),
    ],
)
def test_the_larger_of_two_errors_decides(best: float, second: float, tied: bool) -> None:
    assert [place[3] for place in placed({"a": best, "b": second})] == [tied, tied]


def test_an_error_that_one_source_prints_ties_with_a_score_that_prints_none() -> None:
    arena = Benchmark("lmarena-text", "human-preference", scale_max=None)
    for printed in ("a", "b"):
        scores = [
            Score(model, model, arena.slug, value, standard_error=4.0 if model == printed else None)
            for model, value in (("a", 1303.0), ("b", 1300.0))
        ]
        (places,) = standings(scores, arena, [Candidate("a"), Candidate("b")]).values()
        assert [place.rank for place in places] == [1, 1]


def test_a_chain_of_small_steps_does_not_tie_the_first_with_the_last() -> None:
    ranks = {model: rank for model, rank, _, _ in placed({"a": 80.0, "b": 74.0, "c": 68.0, "d": 62.0})}
    assert ranks == {"a": 1, "b": 1, "c": 3, "d": 3}


def test_without_a_number_of_questions_only_equal_scores_tie() -> None:
    unknown = Benchmark("aime-2025", "math")
    assert placed({"a": 80.0, "b": 79.9, "c": 79.9}, unknown) == [
        ("a", 1, 3, False), ("b", 2, 3, True), ("c", 2, 3, True),
    ]  # fmt: skip


def test_where_lower_is_better_the_lowest_is_first() -> None:
    errors = Benchmark("vectara-hallucination", "safety-factuality", higher_is_better=False)
    assert [model for model, *_ in placed({"a": 8.0, "b": 2.0, "c": 5.0}, errors)] == ["b", "c", "a"]


def test_variants_are_ranked_apart_and_only_among_listed_chat_models() -> None:
    scores = [
        Score("1", "a", "aime-2025", 50.0),
        Score("2", "b", "aime-2025", 90.0, "cons@64"),
        Score("3", "base", "aime-2025", 95.0),
        Score("4", "closed", "aime-2025", 99.0),
        Score("5", "a", "math", 99.0),
    ]
    pool = [Candidate("a"), Candidate("b"), Candidate("base", chat=False), Candidate("closed", listed=False)]
    found = standings(scores, AIME, pool)
    assert {
        item: [(place.score.model, place.rank, place.of) for place in places] for item, places in found.items()
    } == {
        Item("aime-2025"): [("a", 1, 1)],
        Item("aime-2025", "cons@64"): [("b", 1, 1)],
    }
