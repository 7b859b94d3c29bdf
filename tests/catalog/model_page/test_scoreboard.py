"""A model page's benchmarks: the record that counts, the others with their reason, the bar, the ranks."""

from __future__ import annotations

import pytest
from django.db.models import Max, Min
from django.test import Client

from catalog import standings
from catalog.model_page.scoreboard import Line, Scoreboard, bar, scoreboard
from catalog.models import Benchmark, LanguageModel, Score
from catalog.ranking.preferred import NotPreferred
from catalog.standings.words import NOT_PREFERRED, missing_text


def board_of(slug: str) -> Scoreboard:
    return scoreboard(LanguageModel.objects.for_page().get(slug=slug))


def line_of(slug: str, benchmark: str) -> Line:
    return next(line for group in board_of(slug).groups for line in group.lines if line.benchmark.slug == benchmark)


@pytest.mark.usefixtures("field")
def test_every_benchmark_stands_once_with_its_rank() -> None:
    board = board_of("m30")
    lines = [line for group in board.groups for line in group.lines]
    assert len(lines) == len({line.benchmark for line in lines}) == 7
    assert all(line.standing and line.bar for line in lines)
    assert [rank.board for rank in board.ranks] == ["overall", "coding"]


@pytest.mark.usefixtures("field")
def test_the_publishers_own_figure_stands_behind_the_leaderboards() -> None:
    independent = Score.objects.filter(model__slug="m30").select_related("benchmark")[0]
    benchmark = independent.benchmark
    Score.objects.create(
        model=independent.model, benchmark=benchmark, value=99, source_kind="vendor", source="https://acme.example/card"
    )
    line = line_of("m30", benchmark.slug)
    assert line.score == independent
    ((other, reason),) = line.others
    assert (other.value, reason) == (99, str(NOT_PREFERRED[NotPreferred.LESS_INDEPENDENT]))
    page = Client().get("/en/models/m30/").content.decode()
    assert "Details, 1 other record" in page
    assert "a more independent source exists" in page
    assert "Reported by the publisher" in page


@pytest.mark.usefixtures("field")
def test_a_model_without_a_rank_says_what_it_lacks() -> None:
    for score in Score.objects.filter(model__slug="m30")[2:]:
        score.delete()
    standings.refresh()
    overall, _coding = board_of("m30").ranks
    assert overall.place.rank is None
    assert overall.missing == missing_text(overall.place, standings.scopes([])["overall"]) == "2 of 6 benchmarks"
    assert "2 of 6 benchmarks" in Client().get("/en/models/m30/").content.decode()


@pytest.mark.usefixtures("field")
def test_a_model_without_scores() -> None:
    Score.objects.filter(model__slug="m30").delete()
    assert board_of("m30").groups == ()
    assert "No score of this model" in Client().get("/en/models/m30/").content.decode()


@pytest.mark.parametrize(
    ("options", "value", "at"),
    [
        ({"scale_max": 100.0}, 60.0, 60.0),
        ({"scale_max": 100.0, "higher_is_better": False}, 8.0, 92.0),
        ({"scale_max": 1.0}, 0.25, 25.0),
        ({"scale_max": None}, 1250.0, 50.0),  # a rating: the field's span with a margin on both sides
    ],
)
def test_the_bar_has_the_better_end_at_the_right(options: dict[str, object], value: float, at: float) -> None:
    field = (1200.0, 1300.0) if options["scale_max"] is None else (0.0, float(str(options["scale_max"])))
    assert bar(Benchmark(**options), value, *field).at == at


def test_a_field_of_one_has_a_bar() -> None:
    assert 0 <= bar(Benchmark(scale_max=None), 1200.0, 1200.0, 1200.0).at <= 100


@pytest.mark.usefixtures("field")
def test_a_bar_spans_the_scores_that_count_of_its_variant() -> None:
    """Whatever else is listed: records that do not count, and those of other variants."""
    benchmark = Benchmark.objects.get(slug="b05")
    counts = Score.objects.filter(benchmark=benchmark, standing__isnull=False)
    ends = counts.aggregate(lowest=Min("value"), highest=Max("value"))
    listed = {"source_kind": "vendor", "source": "https://acme.example/card"}
    slugs = counts.order_by("value").values_list("model__slug", flat=True)
    for value, slug in ((0.5, slugs[0]), (99.5, slugs[1])):
        Score.objects.create(
            model=LanguageModel.objects.get(slug=slug), benchmark=benchmark, value=value, date="2020", **listed
        )
    one = LanguageModel.objects.get(slug=slugs[2])
    Score.objects.create(model=one, benchmark=benchmark, variant="hard", value=0.25, **listed)
    standings.refresh()
    drawn = line_of(slugs[2], "b05").bar
    assert drawn is not None
    assert {"lowest": drawn.lowest, "highest": drawn.highest} == ends
