"""Who computes ranks says so while it does, and no longer; what it leaves when it dies is looked after."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError, OperationalError
from django.utils import timezone

from catalog import standings
from catalog.models import RankRequest, Release
from catalog.standings import requests

pytestmark = pytest.mark.django_db(transaction=True)  # the beat is another connection's
AT_ONCE = timedelta(milliseconds=10)
PATIENCE_S = 10


def said_at() -> datetime | None:
    return RankRequest.objects.values_list("taken_at", flat=True).get()


def soon(true: Callable[[], bool]) -> bool:
    end = time.monotonic() + PATIENCE_S
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "BEAT", AT_ONCE)


def computing(monkeypatch: pytest.MonkeyPatch, seen: Callable[[], bool]) -> None:
    """That it is so while ranks are being computed."""

    def refresh() -> list[Release]:
        assert seen()
        return []

    RankRequest.objects.create()
    monkeypatch.setattr(requests, "refresh", refresh)
    standings.answer()


def beating() -> bool:
    return any(thread.name == requests.BEATS for thread in threading.enumerate())


def test_it_says_so_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    long_ago = timezone.now() - timedelta(minutes=2)

    def said_once_more() -> bool:
        RankRequest.objects.update(taken_at=long_ago)
        return soon(lambda: said_at() != long_ago)

    computing(monkeypatch, lambda: said_once_more() and said_once_more())
    assert not beating()
    assert not standings.waiting()


def test_it_says_so_no_more_when_it_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> bool:
        assert beating()
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        computing(monkeypatch, fails)
    assert not beating()
    assert standings.waiting()


def test_one_that_comes_to_no_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a fit that never ends would hold ranks back for good."""
    monkeypatch.setattr(requests, "LONGEST", 3 * AT_ONCE)
    computing(monkeypatch, lambda: soon(lambda: not beating()))


def test_a_beat_that_cannot_be_written_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []

    def locked(*_arguments: object, **_values: object) -> None:
        tried.append(1)
        raise DatabaseError("database is locked")

    def tried_again() -> bool:
        with monkeypatch.context() as patched:
            patched.setattr("django.db.models.query.QuerySet.update", locked)
            return soon(lambda: len(tried) > 2)

    computing(monkeypatch, tried_again)
    assert not standings.waiting()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    commands: list[list[str]] = []

    class Started:
        def __init__(self, command: list[str], **options: object) -> None:
            commands.append(command[2:])

        def poll(self) -> None:
            return None

    monkeypatch.setattr("catalog.standings.requests.subprocess.Popen", Started)
    return commands


def test_what_is_owed_is_looked_after(started: list[list[str]]) -> None:
    standings.look_after()
    assert started == []
    RankRequest.objects.create(worker="elsewhere:1", taken_at=timezone.now() - timedelta(minutes=2))
    standings.look_after()
    assert started == [["django", "rank_models", "--waiting"]]


def test_nothing_is_looked_after_without_a_database(
    started: list[list[str]], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def gone() -> bool:
        raise OperationalError("connection refused")

    monkeypatch.setattr(requests, "waiting", gone)
    standings.look_after()
    assert started == []
    assert "connection refused" in caplog.text
