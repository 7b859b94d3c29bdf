"""Ranks that are owed: nobody computes them twice, nobody forgets them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from catalog import standings, sync
from catalog.models import DataChange, RankRequest, Release, Score
from catalog.source import load

pytestmark = pytest.mark.usefixtures("field")
HERE = socket.gethostname()


def dead_process() -> int:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def asked(worker: str = "", ago: timedelta = timedelta(0)) -> RankRequest:
    return RankRequest.objects.create(worker=worker, taken_at=timezone.now() - ago if worker else None)


@pytest.fixture
def changed_score() -> None:
    Score.objects.filter(model__slug="m20").update(value=99.0)


@pytest.mark.usefixtures("changed_score")
@pytest.mark.parametrize(
    ("worker", "ago", "left"),
    [
        (lambda: "", timedelta(0), False),
        (lambda: f"{HERE}:{os.getppid()}", timedelta(0), True),
        (lambda: f"{HERE}:{dead_process()}", timedelta(0), False),
        (lambda: "elsewhere:1", timedelta(0), True),
        (lambda: "elsewhere:1", timedelta(minutes=1), True),
        (lambda: "elsewhere:1", timedelta(minutes=2), False),
        (lambda: "elsewhere:1", timedelta(hours=-1), False),
        (lambda: f"{HERE}:{os.getppid()}", timedelta(minutes=2), False),
        (lambda: f"{HERE}:{os.getpid()}", timedelta(0), False),
    ],
    ids=[
        *("nobody", "alive here", "dead here", "elsewhere", "elsewhere, a beat or two ago", "elsewhere, silent since"),
        *("elsewhere, before the clock was set back", "another program has its number", "failed in this process"),
    ],
)
def test_what_a_dead_process_left_is_taken_up(worker: Callable[[], str], ago: timedelta, left: bool) -> None:
    asked(worker(), ago)
    asked()
    before = Release.objects.count()
    assert bool(standings.answer()) is not left
    assert (Release.objects.count() == before) is left
    assert standings.waiting() is left
    assert RankRequest.objects.count() == 2 * left


@pytest.mark.usefixtures("changed_score")
def test_what_came_meanwhile_is_answered_too(monkeypatch: pytest.MonkeyPatch) -> None:
    asked()
    runs: list[int] = []

    def refresh() -> list[Release]:
        runs.append(1)
        if len(runs) == 1:
            asked()
        return []

    monkeypatch.setattr("catalog.standings.requests.refresh", refresh)
    standings.answer()
    assert len(runs) == 2
    assert not standings.waiting()


def test_an_edit_starts_one_process_and_waits_for_nothing(
    settings: Any, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    started: list[list[str]] = []

    class Started:
        def __init__(self, command: list[str], **options: Any) -> None:
            started.append(command[2:])

        def poll(self) -> None:
            return None

    settings.RANK_IN_BACKGROUND = True
    monkeypatch.setattr("catalog.standings.requests.subprocess.Popen", Started)
    before = Release.objects.count()
    with django_capture_on_commit_callbacks(execute=True):
        for score in Score.objects.filter(model__slug="m20"):
            score.value = 99.0
            score.save()
    assert started == [["django", "rank_models", "--waiting"]]
    assert standings.waiting()
    assert Release.objects.count() == before


@pytest.mark.parametrize(("language", "says"), [("en", "being computed anew"), ("zh-hans", "正在重新计算")])
def test_the_board_says_that_it_is_being_renewed(client: Client, language: str, says: str) -> None:
    assert says not in client.get(f"/{language}/benchmarks/").content.decode()
    asked()
    DataChange.record()
    assert says in client.get(f"/{language}/benchmarks/").content.decode()
    standings.answer()
    assert says not in client.get(f"/{language}/benchmarks/").content.decode()


def test_a_sync_owes_its_ranks_until_they_are_there(folder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between rows and ranks, it leaves a request."""
    owed: list[bool] = []

    def killed() -> list[Release]:
        owed.append(standings.waiting())
        raise KeyboardInterrupt

    files = load(folder.path)
    with monkeypatch.context() as patched:
        patched.setattr("catalog.standings.requests.refresh", killed)
        with pytest.raises(KeyboardInterrupt):
            sync.sync(files)
    assert owed == [True]
    assert standings.waiting()
    sync.sync(load(folder.path))
    assert not standings.waiting()
