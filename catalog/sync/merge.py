"""The three-way merge of one row: what the file said last time, what it says now, and what stands here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Merged:
    """`changes` are to be written; `kept` are fields that were edited here and differ from the file."""

    changes: dict[str, Any] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)


def same(one: Any, other: Any) -> bool:
    """Empty text and null both mean "not known"; forms store the one, files the other."""
    return one == other or (one in (None, "") and other in (None, ""))


def merge(
    here: Mapping[str, Any], shipped: Mapping[str, Any] | None, file: Mapping[str, Any], *, theirs: bool = False
) -> Merged:
    """A field that nobody touched follows the file; an edited one stays, unless `theirs` asks for the file's value.

    Where `shipped` knows nothing of a field (the row was added here), a value that is set here counts as edited.
    """
    merged = Merged()
    for name, value in file.items():
        if same(here[name], value):
            continue
        edited = not same(here[name], (shipped or {}).get(name))
        if edited and not theirs:
            merged.kept.append(name)
        else:
            merged.changes[name] = value
    return merged
