"""Cases are kept for as long as what they follow from is the same, and no longer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from fcntl import LOCK_EX, flock
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.test import Client

from calculator.accuracy import kept
from calculator.accuracy.case import Case

every = import_module("calculator.accuracy.cases")  # the package has a function of that name
CASE = Case(
    model="m", engine="llama.cpp", quantity="total", configuration={"context": 1}, predicted=2, truth=3, origin="o"
)


@pytest.fixture
def package(tmp_path: Path, settings: Any) -> Path:
    """A package of one file, on a site that writes beside it."""
    package = tmp_path / "calculator"
    package.joinpath("memory").mkdir(parents=True)
    package.joinpath("memory", "rule.py").write_text("one = 1\n")
    settings.WRITTEN = tmp_path
    return package


class Counted:
    def __init__(self, pause_s: float = 0) -> None:
        self.times, self.pause_s = 0, pause_s

    def __call__(self) -> Iterator[Case]:
        self.times += 1
        time.sleep(self.pause_s)
        yield CASE


def test_the_same_code_computes_once(package: Path) -> None:
    compute = Counted()
    assert kept.kept(compute, kept.state_of(package)) == kept.kept(compute, kept.state_of(package)) == (CASE,)
    assert compute.times == 1


def test_another_rule_or_file_computes_anew_and_leaves_one_file(package: Path) -> None:
    compute = Counted()
    kept.kept(compute, kept.state_of(package))
    package.joinpath("memory", "rule.py").write_text("one = 2\n")
    kept.kept(compute, kept.state_of(package))
    package.joinpath("memory", "other.toml").write_text("")
    package.joinpath("memory", ".#rule.py").symlink_to("an editor's lock, which leads nowhere")
    kept.kept(compute, kept.state_of(package))
    assert compute.times == 3
    assert len(list(kept.folder().glob("*.json"))) == 1


def test_a_broken_file_is_computed_anew(package: Path) -> None:
    compute = Counted()
    kept.kept(compute, kept.state_of(package))
    (file,) = kept.folder().glob("*.json")
    file.write_text('[{"model": "m"')
    assert kept.kept(compute, kept.state_of(package)) == (CASE,)
    assert compute.times == 2


def test_where_nothing_can_be_written_it_is_computed_each_time(package: Path) -> None:
    kept.folder().write_text("a file where the folder should be")
    compute = Counted()
    assert kept.kept(compute, kept.state_of(package)) == kept.kept(compute, kept.state_of(package)) == (CASE,)
    assert compute.times == 2


def test_who_asks_meanwhile_waits(package: Path) -> None:
    compute = Counted(pause_s=0.05)
    threads = [Thread(target=kept.kept, args=(compute, "state")) for _asker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert compute.times == 1


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> Counted:
    """All cases are one, as if nobody had asked before."""
    compute = Counted(pause_s=0.2)
    monkeypatch.setattr(every, "_found", ())
    monkeypatch.setattr(every, "_every", compute)
    return compute


def test_threads_compute_once_where_nothing_can_be_written(package: Path, fresh: Counted) -> None:
    kept.folder().write_text("a file where the folder should be")
    with ThreadPoolExecutor(4) as pool:
        found = [pool.submit(every.cases) for _asker in range(4)]
    assert [each.result() for each in found] == [(CASE,)] * 4
    assert fresh.times == 1


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_page_does_not_wait_for_another(package: Path, fresh: Counted, client: Client, language: str) -> None:
    kept.folder().mkdir()
    with (kept.folder() / "accuracy.lock").open("w") as held:  # as another process does that is at it
        flock(held, LOCK_EX)
        answer = client.get(f"/{language}/accuracy/")
    assert (answer.status_code, answer.headers["Retry-After"], fresh.times) == (503, "30", 0)
    assert ("every case" in answer.content.decode()) == (language == "en")
