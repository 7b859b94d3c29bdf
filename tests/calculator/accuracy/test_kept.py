"""Cases are kept for as long as what they follow from is the same, and no longer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from calculator.accuracy import kept
from calculator.accuracy.case import Case

CASE = Case(
    model="m", engine="llama.cpp", quantity="total", configuration={"context": 1}, predicted=2, truth=3, origin="o"
)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of one file, with its folder beside it."""
    package = tmp_path / "calculator"
    package.joinpath("memory").mkdir(parents=True)
    package.joinpath("memory", "rule.py").write_text("one = 1\n")
    monkeypatch.setattr(kept, "FOLDER", tmp_path / ".cache")
    return package


class Counted:
    times = 0

    def __call__(self) -> Iterator[Case]:
        self.times += 1
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
    assert len(list(kept.FOLDER.iterdir())) == 1


def test_a_broken_file_is_computed_anew(package: Path) -> None:
    compute = Counted()
    kept.kept(compute, kept.state_of(package))
    (file,) = kept.FOLDER.iterdir()
    file.write_text('[{"model": "m"')
    assert kept.kept(compute, kept.state_of(package)) == (CASE,)
    assert compute.times == 2


def test_where_nothing_can_be_written_it_is_computed_each_time(package: Path) -> None:
    kept.FOLDER.write_text("a file where the folder should be")
    compute = Counted()
    assert kept.kept(compute, kept.state_of(package)) == kept.kept(compute, kept.state_of(package)) == (CASE,)
    assert compute.times == 2
