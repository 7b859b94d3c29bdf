"""When rows were written is read from the end of a text where that tells it, and else from all of it."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from catalog.models import LanguageModel, row_times
from catalog.models.row_times import changed_since, published_models

SQLITE, POSTGRESQL = (",", ":"), (", ", " : ")


def text(times: dict[int, str], separators: tuple[str, str]) -> str:
    """As databases write it: SQLite without spaces, PostgreSQL with some."""
    written = json.dumps({str(pk): when for pk, when in times.items()}, separators=separators)
    return written if separators == SQLITE else f"{{ {written[1:-1]} }}"


def put_last(times: dict[int, str], pk: int, when: str) -> dict[int, str]:
    return {**{other: held for other, held in times.items() if other != pk}, pk: when}


@pytest.mark.parametrize("separators", [SQLITE, POSTGRESQL])
@pytest.mark.parametrize("seed", range(8))
def test_what_is_read_from_the_end_is_what_the_whole_says(seed: int, separators: tuple[str, str]) -> None:
    """Rows are written, come, go, are put back as of long ago and are named in another order."""
    random, clock = Random(seed), iter(range(10**6))
    times = {pk: f"2026-01-01 {next(clock):06}" for pk in range(random.choice((0, 1, 2, 9, 120)))}
    known = row_times._renewed(row_times._Told("{}", {}, {}, set()), text(times, separators))
    for _turn in range(60):
        before = dict(times)
        for _change in range(random.choice((1, 1, 1, 2, 30))):
            pk, what = random.randint(0, 130), random.random()
            if what < 0.7:
                times = put_last(times, pk, f"2026-01-01 {next(clock):06}")
            elif what < 0.8:
                times.pop(pk, None)
            elif what < 0.9:
                times[pk] = "2020-01-01"
            else:
                times = dict(random.sample(sorted(times.items()), len(times)))
        renewed = row_times._renewed(known, text(times, separators))
        assert renewed.models == times
        assert (renewed.models is known.models) == (before == times)
        if before != times:
            assert set(renewed.changed) == changed_since(before, times)
            assert renewed.before is known.models
        known = renewed


@pytest.mark.parametrize("separators", [SQLITE, POSTGRESQL])
def test_one_that_is_written_is_read_alone(separators: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    times = {pk: f"2026-01-01 {pk:03}" for pk in range(1, 200)}
    known = row_times._renewed(row_times._Told("{}", {}, {}, set()), text(times, separators))
    monkeypatch.setattr(json, "loads", None)  # would raise if all were read
    for pk in (11, 1, 199, 199, 500):  # whose number begins others, the first, the last, once more, one that came
        times = put_last(times, pk, f"2026-02-01 {pk}")
        known = row_times._renewed(known, text(times, separators))
        assert known.models == times
        assert set(known.changed) == {pk}


@pytest.mark.django_db
def test_a_thread_that_read_earlier_and_stores_later_changes_no_answer(
    shipped: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Overtaken(list[Any]):
        def __setitem__(self, _at: Any, _stored: Any) -> None:
            super().__setitem__(slice(None), [row_times._Told("{}", {}, {}, set())])

    monkeypatch.setattr(row_times, "_newest", Overtaken())
    published_models.cache_clear()
    published = LanguageModel.objects.published().values_list("pk", flat=True)
    assert published_models("overtaken").keys() == set(published)
    published_models.cache_clear()
