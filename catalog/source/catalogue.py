"""A folder of files -> the whole catalogue, or every reason why not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from catalog.source.checks import Check, EachOnce, check
from catalog.source.citing import unsourced
from catalog.source.faults import Fault, SourceError
from catalog.source.files import Placed, R, read
from catalog.source.reading import Reader
from catalog.source.records import (
    AcceleratorRecord,
    BenchmarkRecord,
    FamilyRecord,
    LicenceRecord,
    ModelRecord,
    OrganizationRecord,
    ScoreRecord,
)


@dataclass(frozen=True, kw_only=True)
class SourceCatalogue:
    """Everything the files say.

    `scores` belong to models of the catalogue, `unmatched` to models it does not hold, `anchors` to closed models:
    they may steady a ranking and are never listed. `remarks` are differences that a card explains, `unsourced` the
    facts of models that no source stands behind.
    """

    organizations: tuple[OrganizationRecord, ...]
    families: tuple[FamilyRecord, ...]
    licences: tuple[LicenceRecord, ...]
    models: tuple[ModelRecord, ...]
    benchmarks: tuple[BenchmarkRecord, ...]
    accelerators: tuple[AcceleratorRecord, ...]
    scores: tuple[ScoreRecord, ...]
    unmatched: tuple[ScoreRecord, ...]
    anchors: tuple[ScoreRecord, ...]
    aliases: dict[str, str]  # another spelling -> slug
    remarks: tuple[Fault, ...]
    unsourced: tuple[Fault, ...] = ()


def load(directory: Path, check_card: Check | None = None) -> SourceCatalogue:
    """Reads and checks a data folder, each card by `check_card`, which may know what checks would find. Raises
    `SourceError` with all faults; a folder without models has one."""
    reader = Reader(directory)
    files = read(reader)
    faults, remarks = check(files, check_card or EachOnce())
    if not files.cards:
        faults.append(Fault("models", "", "no <organisation>/<slug>/card.toml: there is nothing to load"))
    if reader.faults or faults:
        raise SourceError(directory, [*reader.faults, *faults])
    slugs = {placed.record.slug for placed in files.models}
    return SourceCatalogue(
        organizations=_records(files.organizations),
        families=_records(files.families),
        licences=_records(files.licences),
        models=_records(files.models),
        benchmarks=_records(files.benchmarks),
        accelerators=_records(files.accelerators),
        scores=tuple(placed.record for placed in files.scores if placed.record.model in slugs),
        unmatched=tuple(placed.record for placed in files.scores if placed.record.model not in slugs),
        anchors=_records(files.anchors),
        aliases=files.aliases,
        remarks=tuple(remarks),
        unsourced=tuple(
            placed.fault(key, "no source names it") for placed in files.models for key in unsourced(placed.record)
        ),
    )


def _records(placed: list[Placed[R]]) -> tuple[R, ...]:
    return tuple(one.record for one in placed)
