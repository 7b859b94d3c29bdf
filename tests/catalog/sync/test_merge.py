"""Every case of a three-way merge of one field: shipped, here, file."""

from __future__ import annotations

import pytest

from catalog.sync.merge import merge


@pytest.mark.parametrize(
    ("shipped", "here", "file", "changes", "kept"),
    [
        ("a", "a", "a", {}, []),  # nobody moved
        ("a", "a", "b", {"x": "b"}, []),  # the file moved
        ("a", "b", "a", {}, ["x"]),  # an editor moved
        ("a", "b", "b", {}, []),  # both moved to the same place
        ("a", "b", "c", {}, ["x"]),  # both moved
        ("a", None, "a", {}, ["x"]),  # an editor emptied it
        (None, "", "a", {"x": "a"}, []),  # null and empty text are one
        ("", None, "", {}, []),
        (0, None, 0, {}, ["x"]),  # zero is a value
        ([1], [1], [1, 2], {"x": [1, 2]}, []),
        ({"k": 1}, {"k": 2}, {"k": 3}, {}, ["x"]),
    ],
)
def test_one_field(shipped: object, here: object, file: object, changes: dict[str, object], kept: list[str]) -> None:
    merged = merge({"x": here}, {"x": shipped}, {"x": file})
    assert (merged.changes, merged.kept) == (changes, kept)
    theirs = merge({"x": here}, {"x": shipped}, {"x": file}, theirs=True)
    assert theirs.kept == []
    assert theirs.changes == (changes or ({"x": file} if kept else {}))


def test_a_row_added_here_keeps_its_values() -> None:
    assert merge({"x": "a", "y": ""}, None, {"x": "b", "y": "b"}).kept == ["x"]
