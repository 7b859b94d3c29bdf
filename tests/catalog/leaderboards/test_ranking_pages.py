"""A benchmark's own page, the method, the changes, the release behind a rank."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog import standings
from catalog.models import Benchmark, DataChange, LanguageModel, Release, Score, Standing
from tests.pages import get, text_of

pytestmark = pytest.mark.usefixtures("field")


def table_of(page: str) -> list[str]:
    body = page[page.index("<tbody>") : page.index("</tbody>")]
    return re.findall(r'<th scope="row">.*?/models/(\w+)/', body, re.DOTALL)


def test_a_benchmark_lists_its_models_by_rank() -> None:
    expected = Standing.objects.filter(score__benchmark__slug="b05").order_by("rank", "-score__value")
    assert table_of(get("/en/benchmarks/b05/")) == list(expected.values_list("score__model__slug", flat=True))


def test_lower_is_better_turns_the_table_round() -> None:
    Benchmark.objects.filter(slug="b05").update(higher_is_better=False)
    standings.refresh()
    lowest = Score.objects.filter(benchmark__slug="b05").order_by("value")[0]
    assert table_of(get("/en/benchmarks/b05/"))[0] == lowest.model.slug


def test_variants_have_tables_of_their_own() -> None:
    moved = [row.pk for row in Score.objects.filter(benchmark__slug="b05")[:3]]
    Score.objects.filter(pk__in=moved).update(variant="hard 100%")
    standings.refresh()
    page = get("/en/benchmarks/b05/")
    assert len(table_of(page)) == Standing.objects.filter(score__benchmark__slug="b05").count() - 3
    address = re.search(r'href="(\?variant=hard[^"#]+)#table"', page)
    assert address
    assert len(table_of(get(f"/en/benchmarks/b05/{html.unescape(address[1])}"))) == 3


@pytest.mark.parametrize(
    "path", ["/en/benchmarks/nope/", "/en/benchmarks/b05/?variant=nope", "/en/benchmarks/b05/?page=9"]
)
def test_what_is_not_there(path: str) -> None:
    get(path, 404)


def test_a_benchmark_without_scores_says_so() -> None:
    Benchmark.objects.create(slug="new", name_en="New", category="math", metric_en="%", scale_max=100)
    assert "No chat model of the catalogue has a score here." in text_of(get("/en/benchmarks/new/"))


@pytest.mark.parametrize("board", ["overall", "coding", "category/math"])
def test_the_method_page_states_what_the_board_was_computed_from(board: str) -> None:
    release = Release.objects.get(scope=board)
    page = get(f"/en/benchmarks/method/?board={board}")
    words = text_of(page)
    assert release.input_hash in page
    assert release.date.isoformat() in words
    assert f"Scores read {release.num_scores}" in words
    assert f"Minimum coverage {release.summary.scope.min_benchmarks} benchmarks" in words
    assert "0.08" in words  # the constant of the formula
    assert f"/en/benchmarks/releases/{release.pk}.json" in page


def test_an_unknown_board_has_no_method() -> None:
    get("/en/benchmarks/method/?board=nope", 404)


def test_a_release_is_served_whole() -> None:
    release = Release.objects.get(scope="overall")
    answer = Client().get(f"/en/benchmarks/releases/{release.pk}.json")
    assert answer.streaming  # one of 20,000 models has 50 MB, which no worker holds at once
    document = json.loads(answer.getvalue())
    assert document["input_hash"] == release.input_hash
    assert len(document["inputs"]) == 280
    assert {"model", "item", "key", "value", "error"} <= document["inputs"][0].keys()
    get("/en/benchmarks/releases/999999.json", 404)


def test_a_release_is_not_sent_again_nor_to_who_asks_for_its_head(monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"/en/benchmarks/releases/{Release.objects.get(scope='overall').pk}.json"
    etag = Client().get(address)["ETag"]

    def unpacked(release: Release) -> Iterator[bytes]:
        raise AssertionError("nobody asked for what is inside")
        yield b""

    monkeypatch.setattr(Release, "json", unpacked)
    assert Client().get(address, headers={"If-None-Match": etag}).status_code == 304
    head = Client().head(address)
    assert (head.status_code, head["ETag"], b"".join(head)) == (200, etag, b"")


def test_changes_name_their_causes() -> None:
    assert "No rank has changed" in get("/en/benchmarks/changes/")
    LanguageModel.objects.get(slug="m39").delete()
    Score.objects.filter(model__slug="m20", benchmark__slug__in=["b04", "b05", "b06", "b07"]).update(value=97.5)
    standings.refresh()
    page = get("/en/benchmarks/changes/")
    words = text_of(page)
    assert "1 model above left: m39" in words
    assert re.search(r"Model m20 \d+ \d+ score in Test b0\d changed from [\d.]+ to 97\.5", words)
    assert '<a href="/en/models/m20/">' in page
    assert "m39/" not in page  # its page is gone


def test_both_languages() -> None:
    for path in ("benchmarks/b05/", "benchmarks/method/", "benchmarks/changes/"):
        assert 'lang="zh-Hans"' in get(f"/zh-hans/{path}")


def test_the_document_of_a_release_is_read_once_for_the_page_of_the_method() -> None:
    """It holds every score: after a change of the data it is the same, and only what names benchmarks is asked anew."""
    pages = []
    for _turn in range(2):
        DataChange.record()
        pages.append(get("/en/benchmarks/method/"))
    assert pages[0] == pages[1]
    DataChange.record()
    with CaptureQueriesContext(connection) as asked:
        get("/en/benchmarks/method/")
    assert not [each for each in asked if '"document"' in each["sql"]]
    Release.objects.filter(scope="overall").update(input_hash="another")  # as that of a backup that was brought back
    DataChange.record()
    with CaptureQueriesContext(connection) as asked:
        get("/en/benchmarks/method/")
    assert len([each for each in asked if '"document"' in each["sql"]]) == 1
