"""What was edited here as files that can be laid over the shipped ones, for a pull request."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from catalog.models import Accelerator, Alias, Benchmark, Family, LanguageModel, Licence, Organization, Score, Source
from catalog.source.catalogue import load
from catalog.source.faults import Fault, SourceError
from catalog.source.writing import write
from catalog.sync.checked_cards import CheckedCards
from catalog.sync.edits import behind
from catalog.sync.export import export


@dataclass(frozen=True, slots=True)
class Contribution:
    """Paths inside the data folder: those to write, with their content, and those to remove."""

    files: dict[str, bytes]
    gone: tuple[str, ...]


def contribution(shipped: Path) -> Contribution:
    """Only files that would say something else. Both sides are written by one writer, so a key's place is no change.

    Raises `SourceError` where a row may not stand in a file, or where the database does not know yet what the files
    say: that would be taken back.
    """
    check_card = CheckedCards().check
    catalogue = load(shipped, check_card)
    if late := behind(catalogue):
        raise SourceError(shipped, [Fault(kind, "", "not loaded yet: run sync_catalog first") for kind in late])
    with TemporaryDirectory() as place:
        here, there = Path(place) / "here", Path(place) / "there"
        export(here, shipped=shipped)
        load(here, check_card)
        write(catalogue, there)
        ours, theirs = _contents(here), _contents(there)
    ours.pop("NOTICE", None)
    files = {path: content for path, content in sorted(ours.items()) if not _same(path, content, theirs.get(path))}
    return Contribution(files, tuple(sorted(theirs.keys() - ours.keys())))


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _same(path: str, ours: bytes, theirs: bytes | None) -> bool:
    """A config.json whose keys stand in another order is the same: PostgreSQL does not keep it."""
    if theirs is None or ours == theirs:
        return ours == theirs
    return path.endswith(".json") and json.loads(ours) == json.loads(theirs)


def files_of(row: Any) -> tuple[str, ...]:
    """Where a row stands, as `catalog.source.files` has it."""
    if isinstance(row, Organization):
        return (f"organizations/{row.slug}.toml",)
    if isinstance(row, Family):
        return (f"organizations/{row.organization.slug}.toml",)
    if isinstance(row, Accelerator):
        return (f"accelerators/{row.vendor}.toml",)
    if isinstance(row, LanguageModel | Source | Score):
        model = row if isinstance(row, LanguageModel) else row.model
        folder = f"models/{model.organization.slug}/{model.slug}"
        return (
            (f"{folder}/scores.toml",) if isinstance(row, Score) else (f"{folder}/card.toml", f"{folder}/config.json")
        )
    return {Licence: ("licences.toml",), Benchmark: ("benchmarks.toml",), Alias: ("score_aliases.toml",)}[type(row)]
