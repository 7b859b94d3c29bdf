"""The method on the catalogue's own scores: it predicts hidden ones, and its places hold together."""

from __future__ import annotations

from collections import defaultdict
from statistics import fmean

import pytest

from catalog.ranking.holdout import hold_out
from catalog.ranking.printed import printed_error
from catalog.ranking.publish import Problem, prepare, publish
from catalog.ranking.scope import CODING, OVERALL, Scope
from catalog.ranking.scores import Benchmark, Candidate, Mode, Score, ScoreSource
from catalog.source.files import read
from catalog.source.reading import Reader
from config.settings import BASE_DIR

MAVERICK = "llama-4-maverick-instruct"


def problem_of(scope: Scope) -> Problem:
    files = read(Reader(BASE_DIR / "catalog" / "data"))
    models = [placed.record for placed in files.models]
    held = {model.slug for model in models}
    benchmarks = [
        Benchmark(
            record.slug,
            record.category,
            record.primary_variant,
            record.scale_max,
            record.higher_is_better,
            {record.primary_variant: record.questions} if record.questions else {},
            composite=record.slug == "livebench",
        )
        for record in (placed.record for placed in files.benchmarks)
    ]
    scores = [
        Score(
            str(number),
            record.model,
            record.benchmark,
            record.value,
            record.variant,
            Mode(record.mode),
            ScoreSource(record.source_kind),
            self_reported=record.source_kind == "vendor",
            date=record.date,
            standard_error=printed_error(record.settings),
        )
        for number, record in enumerate(placed.record for placed in files.scores)
        if record.model in held
    ]
    return prepare(scope, scores, benchmarks, [Candidate(model.slug, model.variant != "base") for model in models])


@pytest.fixture(scope="module")
def overall() -> Problem:
    return problem_of(OVERALL)


@pytest.fixture(scope="module")
def coding() -> Problem:
    return problem_of(CODING)


def mean_only_error(problem: Problem) -> float:
    """The error, in points, of guessing each benchmark variant's mean."""
    by_item = defaultdict(list)
    for cell in problem.table.cells:
        by_item[cell.item].append(cell.share)
    return 100 * fmean(abs(cell.share - fmean(by_item[cell.item])) for cell in problem.table.cells)


def test_hidden_scores_are_predicted_to_six_points(overall: Problem) -> None:
    # 5.83 points on 2,621 scores when this was written; guessing each benchmark's mean is off by 13
    found = hold_out(overall.table)
    assert found.hidden > 2_000
    assert found.mean_error < 6.1
    assert found.mean_error < mean_only_error(overall) / 2


def test_hidden_coding_scores_are_predicted_to_six_points(coding: Problem) -> None:
    found = hold_out(coding.table)  # 5.39 points on 844 scores when this was written
    assert found.mean_error < 5.8
    assert found.mean_error < mean_only_error(coding) / 2


def test_the_reference_model_is_placed_where_its_own_scores_put_it(overall: Problem, coding: Problem) -> None:
    # 2025's Maverick: in the middle of the field; a site that prints it 15th and 25th shows no source
    for problem in (overall, coding):
        found = publish(problem, "2026-01-31")
        (maverick,) = [place for place in found.ranked if place.model == MAVERICK]
        assert 0.3 < maverick.rank / len(found.ranked) < 0.6
        assert maverick.high - maverick.low < 15
