"""Boards: ranks with intervals, filters, the chart and its words; the same number of queries however many models."""

from __future__ import annotations

import re
from typing import Any

import pytest

from catalog import standings
from catalog.leaderboards import views
from catalog.leaderboards.scatter import Scatter, scatter
from catalog.leaderboards.spots import Spots
from catalog.models import DataChange, LanguageModel, Place, Release, Score
from tests.pages import get, text_of

HTMX = {"HTTP_HX_REQUEST": "true"}


def models_in(markup: str) -> list[str]:
    """Slugs in the table, from the top."""
    table = markup[markup.index("<tbody>") : markup.index("</tbody>")]
    return re.findall(r'<th scope="row">.*?/models/(\w+)/', table, re.DOTALL)


@pytest.mark.usefixtures("field")
class TestLeaderboards:
    def test_the_strongest_stands_first_with_its_interval(self) -> None:
        page = get("/en/benchmarks/")
        place = Place.objects.get(release__scope="overall", rank=1)
        assert models_in(page)[0] == place.model.slug
        assert re.search(rf"<b>1</b> <small>{place.low}–{place.high}</small>", page)

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("max_parameters=5", {"m00", "m01", "m02", "m03", "m04"}),
            ("min_parameters=38.5", {"m38", "m39"}),
            ("memory=3", {"m00", "m01", "m02"}),
            ("licence=no&max_parameters=4", {"m01", "m03"}),
        ],
    )
    def test_filters(self, query: str, expected: set[str]) -> None:
        assert set(models_in(get(f"/en/benchmarks/?{query}"))) == expected

    def test_ranks_stay_those_of_the_whole_board_under_a_filter(self) -> None:
        page = get("/en/benchmarks/?memory=3")
        best = Place.objects.filter(release__scope="overall", model__memory_8k_bytes__lte=3 * 2**30)
        rank = best.order_by("rank")[0].rank
        assert f"<b>{rank}</b>" in page
        assert "3 models of 40 with a rank; ranks count all of them" in text_of(page)

    @pytest.mark.parametrize(("language", "said"), [("en", "publisher's figures only"), ("zh-hans", "仅有发布方数据")])
    def test_a_rank_without_independent_scores_says_so(self, language: str, said: str) -> None:
        Place.objects.update(num_independent=1)
        DataChange.record()
        assert said not in text_of(get(f"/{language}/benchmarks/"))
        Place.objects.filter(release__scope="overall", rank=1).update(num_independent=0)
        DataChange.record()
        assert text_of(get(f"/{language}/benchmarks/")).count(said) == 1

    def test_a_chart_is_drawn_once_for_each_choice_of_models(self, monkeypatch: pytest.MonkeyPatch) -> None:
        drawn: list[int] = []

        def counted(spots: Spots, *rest: Any) -> Scatter | None:
            drawn.append(len(spots))
            return scatter(spots, *rest)

        monkeypatch.setattr(views, "scatter", counted)
        DataChange.record()
        pages = [get(f"/en/benchmarks/?{query}") for query in ("memory=3", "memory=3&n=1", "memory=5", "memory=3&n=2")]
        assert drawn == [3, 5]
        assert "<figcaption" in pages[0]
        get("/en/benchmarks/?memory=x", 400)
        Place.objects.filter(release__scope="overall", model__slug="m00").delete()
        DataChange.record()
        get("/en/benchmarks/?memory=3")
        assert drawn[-1] == 2

    @pytest.mark.parametrize(
        ("language", "said"), [("en", "dots that would cover each other are drawn as one"), ("zh-hans", "合并为一个")]
    )
    def test_a_chart_of_many_says_that_its_dots_are_no_models(
        self, language: str, said: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        LanguageModel.objects.filter(slug__in=["m10", "m20"]).update(memory_8k_bytes=39 * 2**30)  # others beat them
        DataChange.record()
        assert said not in text_of(get(f"/{language}/benchmarks/"))
        monkeypatch.setattr("catalog.leaderboards.scatter.MOST_LINKED", 39)
        DataChange.record()
        page = get(f"/{language}/benchmarks/")
        assert said in text_of(page)
        assert re.search(r'<path class="dots" d="M\d+ \d+h\d+', page)

    def test_the_chart_names_the_frontier_in_words(self) -> None:
        page = get("/en/benchmarks/?memory=3")
        caption = text_of(page[page.index("<figcaption") : page.index("</figcaption>")])
        assert re.search(r"Model m00 1\.00 GiB, index \d+\.\d, #\d+", caption)
        assert re.search(r'role="group"\s+aria-label="\s*Index of 3 models', page)

    def test_htmx_gets_the_board_alone_with_the_errors_beside_the_fields(self) -> None:
        part = get("/en/benchmarks/?memory=x", 400, **HTMX)
        assert "<html" not in part
        assert re.search(r'id="memory_error" hx-swap-oob="true">[^<]+<', part)

    @pytest.mark.parametrize(
        "query",
        ["board=nope", "memory=-1", "memory=abc", "licence=zzz", "min_parameters=9&max_parameters=1", "show=all"],
    )
    def test_a_wrong_question_is_said_and_the_board_still_shown(self, query: str) -> None:
        page = get(f"/en/benchmarks/?{query}", 400)
        assert models_in(page)[0] == "m39"

    @pytest.mark.parametrize("query", ["page=0", "page=99", "page=x"])
    def test_a_page_that_is_not_there(self, query: str) -> None:
        get(f"/en/benchmarks/?{query}", 404)

    def test_models_without_a_rank_say_what_they_lack(self) -> None:
        Score.objects.filter(model__slug="m10").exclude(
            pk__in=list(Score.objects.filter(model__slug="m10").values_list("pk", flat=True)[:3])
        ).delete()
        standings.refresh()
        page = get("/en/benchmarks/?show=unranked")
        assert models_in(page) == ["m10"]
        assert "3 of 6 benchmarks" in page
        assert "<figure" not in page

    def test_chinese(self) -> None:
        page = get("/zh-hans/benchmarks/")
        assert 'lang="zh-Hans"' in page
        assert "顶点" in page
        assert "测验 b02" in page

    def test_before_any_rank_is_computed(self) -> None:
        Release.objects.all().delete()
        DataChange.record()
        assert "No ranks have been computed" in get("/en/benchmarks/")
        get("/en/benchmarks/method/")
        get("/en/benchmarks/changes/")
