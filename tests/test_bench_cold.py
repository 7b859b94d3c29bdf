"""What `make bench ARGS=cold` measures: the whole answer, of an address that was not asked before, beside its floor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from tests.bench import cold, first
from tests.bench.cold import Cost, Row, answer, bare_view, cells, counted, environ, in_turns, measured
from tests.bench.pages import PART, Page
from tests.catalog.shipped import shipped

__all__ = ["shipped"]
PAGE = Page("a page", "/en/models/?n={}", PART)


@pytest.fixture(autouse=True)
def kept_connection() -> Iterator[None]:
    """A server may close a connection after an answer; that of a test has its data."""
    both = (request_started, request_finished)
    for signal in both:
        signal.disconnect(close_old_connections)
    yield
    for signal in both:
        signal.connect(close_old_connections)


class Said:
    """A response as a server reads it."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces, self.closed = pieces, False

    def __iter__(self) -> Any:
        return iter(self.pieces)

    def close(self) -> None:
        self.closed = True


def saying(status: str, said: Said) -> Callable[..., Said]:
    def application(_environ: dict[str, Any], start: Callable[..., None]) -> Said:
        start(status, [])
        return said

    return application


def test_an_address_is_asked_as_a_browser_asks_it() -> None:
    asked = environ(PAGE, 2)
    assert (asked["PATH_INFO"], asked["QUERY_STRING"]) == ("/en/models/", "n=1040")  # 1,024 and 8 for each number
    assert asked["HTTP_HX_REQUEST"] == "true"


def test_an_answer_is_read_to_its_end() -> None:
    said = Said(b"a", b"b")
    assert answer(saying("200 OK", said), environ(PAGE, 0)) == b"ab"
    assert said.closed
    with pytest.raises(RuntimeError, match=r"404 Not Found for /en/models/\?n=1024"):
        answer(saying("404 Not Found", Said()), environ(PAGE, 0))


def test_the_floor_sends_the_same_bytes_from_any_address() -> None:
    for number in (0, 5):
        assert answer(bare_view(b"<p>the same</p>"), environ(PAGE, number)) == b"<p>the same</p>"


def test_calls_are_those_of_the_answer_the_same_each_time() -> None:
    def application(of: int) -> Callable[..., Said]:
        def ask(_environ: dict[str, Any], start: Callable[..., None]) -> Said:
            for _ in range(of):
                len("")
            start("200 OK", [])
            return Said()

        return ask

    found = [counted(application(of), environ(PAGE, 0)) for of in (0, 0, 100)]
    assert found[0] == found[1] == found[2] - 100


def test_both_are_asked_in_turns_and_the_middle_counts() -> None:
    asked: list[str] = []

    def noting(name: str) -> Callable[..., Said]:
        def ask(_environ: dict[str, Any], start: Callable[..., None]) -> Said:
            asked.append(name)
            start("200 OK", [])
            return Said()

        return ask

    costs = in_turns(*((noting(name), (environ(PAGE, number) for number in count())) for name in "ab"))
    assert asked[: 2 * cold.ASKED] == ["a", "b"] * cold.ASKED
    assert len(costs) == 2
    assert all(0 <= cost.ms <= cost.most_ms for cost in costs)


@pytest.mark.django_db
@pytest.mark.usefixtures("shipped")
def test_a_page_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cold, "ASKED", 3)
    monkeypatch.setattr(cold, "COUNTED", 1)
    numbers = count()
    row = measured(WSGIHandler(), Page("API memory", "/api/v1/models/gpt-oss-20b/memory/?context={}"), numbers)
    assert next(numbers) == cold.PASSED + 1 + 2 * (
        3 + 1
    )  # let pass, its queries, and plain and in Brotli: timed, counted
    assert row.name == "API memory"
    assert row.size > 500
    assert row.cold.calls > row.floor.calls > 50


@pytest.mark.django_db
@pytest.mark.usefixtures("shipped")
def test_a_first_question_is_asked_once_and_then_another_of_its_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(first, "answer", lambda application, environ: asked.append(environ["QUERY_STRING"]))
    costs = first.costs(WSGIHandler(), Page("model page", "/en/models/gpt-oss-20b/?context={}"))
    assert asked == ["context=25024", "context=25280"]  # 256 cells further
    assert all(ms >= 0 for ms in costs)


@pytest.mark.django_db
@pytest.mark.usefixtures("shipped")
def test_first_questions_are_answered() -> None:
    """Those that need no more than the models of this test."""
    for page in first.QUESTIONS:
        assert answer(WSGIHandler(), environ(page, 0))


def test_a_row_says_how_many_times_the_floor_it_takes() -> None:
    row = Row("a page", 12_345, 2, Cost(6.0, 9.0, 9_000), Cost(7.0, 8.0, 9_100), Cost(0.5, 0.6, 450))
    assert cells(row) == ("a page", "12,345", "2", "9,000", "20", "6.00", "9.0", "12", "7.00", "450", "0.50")
    assert len(cells(row)) == len(cold.HEAD)
