"""Stored ranks are those of `catalog.ranking`, renewed where their inputs change and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog import standings
from catalog.models import Benchmark, DataChange, LanguageModel, Place, Release, Score, Standing
from catalog.models.row_times import places
from catalog.ranking.publish import Problem, prepare, publish
from catalog.ranking.release import Release as Ranking
from catalog.ranking.release import from_json, inputs_in
from catalog.ranking.scope import OVERALL, Scope
from catalog.standings.rows import read, score_values
from catalog.standings.store import InBenchmarks

pytestmark = pytest.mark.usefixtures("field")


def newest(board: str = "overall") -> Release:
    return Release.objects.filter(scope=board).latest("pk")


def edit(model: str, value: float, benchmark: str) -> None:
    Score.objects.filter(model__slug=model, benchmark__slug=benchmark).update(value=value)


def test_places_are_those_that_the_ranking_publishes() -> None:
    rows = read()
    release = publish(prepare(OVERALL, rows.scores, rows.benchmarks, rows.candidates), "2026-01-31")
    stored = Place.objects.filter(release=newest(), rank__isnull=False).order_by("rank")
    assert list(stored.values_list("model__slug", "rank", "low", "high", "tier", "index")) == [
        (place.model, place.rank, place.low, place.high, place.tier, place.index) for place in release.ranked
    ]
    assert stored[0].model.slug == "m39"


def test_a_release_repeats_itself_from_its_document() -> None:
    release = newest()
    ranking = from_json(b"".join(release.json()))
    assert ranking.input_hash == release.input_hash
    assert len(ranking.inputs) == release.num_scores == 280
    assert len(ranking.ranked) == release.num_ranked


@pytest.mark.parametrize("ranked", [True, False])
def test_places_that_went_with_a_model_come_back_with_it(ranked: bool) -> None:
    """Deleted and brought back before anybody ranked: the release is still the right one, only its places are gone."""
    if not ranked:
        Score.objects.filter(model__slug="m20").delete()
        standings.refresh()
    release, model = newest(), LanguageModel.objects.get(slug="m20")
    assert Place.objects.filter(model=model, rank__isnull=not ranked).exists()
    columns = ("release", "rank", "low", "high", "missing")
    at = Place.objects.filter(model=model).order_by("pk").values_list(*columns)
    before = list(at)
    assert before
    Place.objects.filter(model=model).delete()
    changed = DataChange.version()
    assert standings.refresh() == []
    assert list(at) == before
    assert newest() == release
    assert DataChange.version() != changed
    assert standings.refresh() == []


def test_a_check_that_comes_to_no_end_holds_no_ranks_back(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def endless(_table: object) -> None:
        raise ArithmeticError("no solution after 1000 steps")

    monkeypatch.setattr("catalog.standings.store.CELLS_TO_CHECK", 1)
    monkeypatch.setattr("catalog.ranking.holdout.hold_out", endless)
    edit("m20", 1.0, Score.objects.filter(model__slug="m20")[0].benchmark.slug)
    assert {release.hold_out_error for release in standings.refresh()} == {None}
    assert "overall: hidden scores could not be predicted" in caplog.text


def test_a_board_that_comes_to_no_end_stays_as_it_was_and_holds_no_other_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Of 20,000 made-up models that have one score of safety each the fit knows no end after 1,000 steps."""

    def but_overall(problem: Problem, date: str) -> Ranking:
        if problem.scope == OVERALL:
            raise ArithmeticError("no solution after 1000 steps")
        return publish(problem, date)

    before = newest().pk
    monkeypatch.setattr("catalog.ranking.publish.publish", but_overall)
    score = Score.objects.filter(benchmark__slug="b01")[0]
    edit(score.model.slug, score.value / 2, "b01")
    assert {release.scope for release in standings.refresh()} == {"category/math"}
    assert newest().pk == before
    assert "overall: no ranks: no solution after 1000 steps" in caplog.text
    told = {"en": "the fit to them found no solution", "zh-hans": "对新分数的拟合没有解"}
    assert {language for language, words in told.items() if words in board_in(language)} == {"en", "zh-hans"}
    assert "found no solution" not in board_in("en", "?board=category/math")
    monkeypatch.undo()
    assert standings.refresh() == [], "of the same scores the same code comes to no end"
    assert {release.scope for release in standings.refresh(look_again=True)} == {"overall"}
    assert "found no solution" not in board_in("en")


def test_a_board_whose_scores_are_again_those_of_its_ranks_says_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    def unsolved(problem: Problem, date: str) -> Ranking:
        raise ArithmeticError("no solution")

    monkeypatch.setattr("catalog.ranking.publish.publish", unsolved)
    score = Score.objects.filter(benchmark__slug="b01")[0]
    for value, says in ((score.value / 2, True), (score.value, False)):
        edit(score.model.slug, value, "b01")
        assert standings.refresh() == []
        assert ("found no solution" in board_in("en")) == says


def board_in(language: str, query: str = "") -> str:
    return Client().get(f"/{language}/benchmarks/{query}").content.decode()


def test_nothing_is_computed_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.ranking.publish.publish", None)  # would raise if it were called
    with CaptureQueriesContext(connection) as queries:
        assert standings.refresh() == []
    written = [query["sql"] for query in queries if query["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
    assert written == []


def test_what_is_known_to_follow_is_not_even_prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def counted(scope: Scope, *rows: Any) -> Problem:
        asked.append(scope.key)
        return prepare(scope, *rows)

    monkeypatch.setattr("catalog.ranking.publish.prepare", counted)
    standings.refresh()
    assert asked == []
    standings.refresh(look_again=True)
    assert "overall" in asked


def drop_places() -> None:
    Standing.objects.filter(score__benchmark__slug="b05").delete()


def other_places() -> None:
    Standing.objects.filter(score__benchmark__slug="b05").update(rank=9)


def drop_a_release() -> None:
    Release.objects.filter(pk=newest().pk).delete()


def other_code() -> None:
    Release.objects.update(state="0" * 65)


def less_of_a_benchmark() -> None:
    Benchmark.objects.filter(slug="b05").update(category="math")


@pytest.mark.parametrize("change", [drop_places, other_places, drop_a_release, other_code, less_of_a_benchmark])
def test_whatever_changed_is_looked_at(change: Callable[[], None]) -> None:
    before = list(Standing.objects.order_by("pk").values_list("pk", "rank"))
    change()
    standings.refresh()
    rows = read()
    assert newest().input_hash == prepare(OVERALL, rows.scores, rows.benchmarks, rows.candidates).input_hash
    assert list(Standing.objects.order_by("pk").values_list("pk", "rank")) == before


@pytest.mark.parametrize(
    ("benchmark", "boards"),
    [
        ("b01", {"overall", "category/math"}),
        ("b02", {"overall", "coding", "category/coding"}),
        ("b03", {"overall", "coding", "category/agentic-coding"}),
    ],
)
def test_a_changed_score_renews_the_boards_that_read_it(benchmark: str, boards: set[str]) -> None:
    score = Score.objects.filter(benchmark__slug=benchmark)[0]
    edit(score.model.slug, score.value / 2, benchmark)
    assert {release.scope for release in standings.refresh()} == boards


def test_what_was_cached_from_the_old_ranks_is_not_asked_for_again() -> None:
    before = DataChange.version()
    standings.refresh()
    assert DataChange.version() == before
    edit("m20", 99.0, Score.objects.filter(model__slug="m20")[0].benchmark.slug)
    standings.refresh()
    assert DataChange.version() != before


def test_a_score_that_does_not_count_renews_nothing() -> None:
    row = Score.objects.filter(benchmark__slug="b01")[0]
    # A vendor's own figure stands behind the leaderboard's.
    row.pk, row.source_kind, row.source, row.value = None, "vendor", "https://acme.example/card", 99.0
    row.save()
    assert standings.refresh() == []


def test_a_score_changed_during_the_fits_is_in_the_ranks(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Release.objects.filter(scope="overall").count()
    edits = iter([99.0])

    def overtaken(*arguments: Any) -> Any:
        for value in edits:
            edit("m20", value, benchmark)
        return publish(*arguments)

    benchmark = Score.objects.filter(model__slug="m20")[0].benchmark.slug
    monkeypatch.setattr("catalog.ranking.publish.publish", overtaken)
    edit("m20", 1.0, benchmark)
    standings.refresh()
    read_values = [
        one.value for one in inputs_in(newest().json()) if (one.model, one.item.benchmark) == ("m20", benchmark)
    ]
    assert read_values == [99.0]
    assert Release.objects.filter(scope="overall").count() == before + 1, "what was overtaken is not published"


def test_the_old_release_is_kept_and_the_change_names_its_causes() -> None:
    before = newest()
    scores = list(Score.objects.filter(model__slug="m20").select_related("benchmark").order_by("benchmark__slug")[:4])
    for score in scores:
        edit("m20", 99.0, score.benchmark.slug)
    standings.refresh()
    after = newest()
    assert Release.objects.filter(pk=before.pk).exists()
    assert not before.places.exists()
    assert after.places.count() == 40
    (change,) = [change for change in after.changes if change["model"] == "m20"]
    assert change["new"] < change["old"]
    assert change["reasons"] == [
        {
            "cause": "changed-score",
            "benchmark": score.benchmark.slug,
            "variant": "",
            "old": score.value,
            "new": 99.0,
        }
        for score in scores
    ]


def test_a_model_that_leaves_is_the_cause_for_those_below() -> None:
    LanguageModel.objects.filter(slug="m39").delete()
    standings.refresh()
    changes = {change["model"]: change for change in newest().changes}
    assert changes["m39"]["new"] is None
    below = changes["m38"]["reasons"]
    assert {"cause": "model-left", "others": ["m39"], "count": 1} in below


def test_a_draft_takes_no_part() -> None:
    LanguageModel.objects.filter(slug="m39").update(is_published=False)
    standings.refresh()
    assert not Place.objects.filter(model__slug="m39").exists()
    assert b'"m39"' not in b"".join(newest().json())


def test_a_model_with_too_few_benchmarks_says_how_many_it_has() -> None:
    kept = Score.objects.filter(model__slug="m10").values_list("pk", flat=True)[:3]
    Score.objects.filter(model__slug="m10").exclude(pk__in=list(kept)).delete()
    standings.refresh()
    place = Place.objects.get(release=newest(), model__slug="m10")
    assert (place.rank, place.num_benchmarks, place.missing) == (None, 3, "too-few-benchmarks")


def test_ranks_inside_a_benchmark_count_everybody_above() -> None:
    table = list(Standing.objects.filter(score__benchmark__slug="b05").order_by("rank").select_related("score"))
    assert [row.of for row in table] == [len(table)] * len(table)
    assert all(one.score.value >= other.score.value for one, other in pairwise(table))
    assert table[0].rank == 1


def test_scores_within_one_standard_error_tie_where_the_questions_are_known() -> None:
    best, second = Standing.objects.filter(score__benchmark__slug="b05").order_by("rank")[:2]
    Score.objects.filter(pk=second.pk).update(value=best.score.value - 1)  # 30 questions: one is 3.3 points
    Benchmark.objects.filter(slug="b05").update(questions=30)
    standings.refresh()
    assert set(Standing.objects.filter(pk__in=[best.pk, second.pk]).values_list("rank", "tied")) == {(1, True)}


def test_a_composite_is_placed_but_not_ranked_on() -> None:
    before = newest().num_scores
    Benchmark.objects.filter(slug="b05").update(composite=True)
    standings.refresh()
    assert newest().num_scores == before - Score.objects.filter(benchmark__slug="b05").count()
    assert Standing.objects.filter(score__benchmark__slug="b05").exists()


def test_places_that_were_put_back_are_told_from_those_before() -> None:
    """As many, of the same models, and with other keys: whoever keeps a board by them has to read it again."""
    release = newest().pk
    before = places(release)
    place = Place.objects.filter(release=release).first()
    assert place
    place.delete()
    place.pk = None
    place.save(force_insert=True)
    assert places(release) != before


def test_scores_are_unpacked_as_they_were_read() -> None:
    row = Score.objects.filter(benchmark__slug="b01")[0]
    row.settings, row.mode, row.source_kind = "95% CI 40 to 44", "thinking", "vendor"
    row.save()
    packed = read().scores
    rows = Score.objects.select_related("model", "benchmark").order_by("pk")
    assert {score for of_benchmark in packed.values() for score in of_benchmark} == set(score_values(rows))
    assert sum(len(list(of_benchmark)) for of_benchmark in packed.values()) == len(rows)
    (changed,) = [score for score in packed["b01"] if score.key == str(row.pk)]
    assert changed.standard_error == pytest.approx(4 / 2 / 1.959964)
    assert {score.standard_error for score in packed["b02"]} == {None}


def test_places_that_differ_are_told_from_those_that_are_stored() -> None:
    random = Random(7)
    for _turn in range(200):
        held, wanted = ({pk: (random.randint(1, 2), 9, random.random() < 0.5) for pk in keys} for keys in some(random))
        places = InBenchmarks((pk, *values) for pk, values in wanted.items())
        others, gone = places.unlike((pk, *values) for pk, values in sorted(held.items()))
        assert sorted(places.keys[at] for at in others) == [pk for pk in sorted(wanted) if held.get(pk) != wanted[pk]]
        assert list(gone) == sorted(held.keys() - wanted.keys())


def some(random: Random) -> Iterator[list[int]]:
    """Keys twice, in any order; none now and then."""
    for _turn in range(2):
        yield random.sample(range(12), random.choice((0, 3, 9)))
