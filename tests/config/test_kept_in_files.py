"""Kept files are copies: what is damaged is worked out and written anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings

from config import kept_in_files
from config.kept_in_files import CULLED_EVERY, InFiles

VALUE = {"bytes": list(range(1000))}


@pytest.mark.parametrize(
    "damage",
    [
        lambda kept: b"",
        lambda kept: kept[:4],
        lambda kept: kept[:-9],
        lambda kept: bytes(len(kept)),
        lambda kept: kept[: len(kept) // 2] + bytes(len(kept) - len(kept) // 2),
        lambda kept: b"<html>" + kept,
        lambda kept: kept[::-1],
    ],
    ids=["empty", "begun", "cut short", "zeros", "half zeros", "something before", "turned round"],
)
def test_a_damaged_file_is_none(damage: Callable[[bytes], bytes], tmp_path: Path) -> None:
    cache = InFiles(str(tmp_path), {})
    cache.set("a", VALUE, timeout=None)
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(damage(kept.read_bytes()))
    assert cache.get("a") is None
    assert cache.get("a", 1) == 1
    cache.set("a", VALUE, timeout=None)
    assert cache.get("a") == VALUE


def test_what_cannot_be_read_at_all_is_for_others_to_judge(tmp_path: Path) -> None:
    cache = InFiles(str(tmp_path), {})
    cache.set("a", VALUE)
    (kept,) = tmp_path.iterdir()
    kept.unlink()
    kept.mkdir()
    with pytest.raises(IsADirectoryError):
        cache.get("a")


def test_the_site_keeps_its_files_so() -> None:
    kinds = [cache["BACKEND"] for cache in settings.CACHES.values() if "file" in cache["BACKEND"]]
    assert kinds
    assert set(kinds) == {"config.kept_in_files.InFiles"}


def test_files_are_listed_once_in_so_many_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    most = CULLED_EVERY
    drawn = [1] * (most + 1) + [0]
    monkeypatch.setattr(kept_in_files, "randrange", lambda end: drawn.pop(0) if end == CULLED_EVERY else 0)
    cache = InFiles(str(tmp_path), {"max_entries": most})
    for number in range(most + 1):
        cache.set(str(number), number)
    assert len(list(tmp_path.iterdir())) == most + 1
    cache.set("last", 0)
    assert len(list(tmp_path.iterdir())) == most + 2 - (most + 1) // 3  # Django throws away a third
    assert not drawn


def test_where_few_may_lie_no_more_do(tmp_path: Path) -> None:
    cache = InFiles(str(tmp_path), {"max_entries": 3})
    for number in range(60):
        cache.set(str(number), number)
        assert len(list(tmp_path.iterdir())) <= 3 + 1


def test_a_damaged_file_that_cannot_be_removed_is_none_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_asked: object) -> None:
        raise PermissionError

    cache = InFiles(str(tmp_path), {})
    cache.set("a", VALUE)
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(kept.read_bytes()[:-9])
    monkeypatch.setattr(cache, "delete", refused)
    assert cache.get("a", 1) == 1
