"""What a page tells its reader to run is the same in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHINESE = sorted([*ROOT.glob("*.zh-hans.md"), *ROOT.glob("docs/**/*.zh-hans.md")])
PAIRS = [(path.with_name(path.name.replace(".zh-hans", "")), path) for path in CHINESE]


def commands(page: Path) -> list[str]:
    blocks = re.findall(r"^```(?:sh|nginx)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [re.sub(r"\s+#\s.*", "", line) for block in blocks for line in block.splitlines()]


def headings(page: Path) -> list[int]:
    return [len(marks) for marks in re.findall(r"^(#+) ", page.read_text(encoding="utf-8"), re.MULTILINE)]


def test_there_are_pairs() -> None:
    assert {english.name for english, _chinese in PAIRS} >= {"README.md", "deployment.md", "memory-model.md"}


@pytest.mark.parametrize(("english", "chinese"), PAIRS, ids=lambda path: path.name)
def test_both_say_the_same_commands_under_the_same_headings(english: Path, chinese: Path) -> None:
    assert commands(english) == commands(chinese)
    assert headings(english) == headings(chinese)
