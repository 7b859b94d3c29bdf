"""The data folder, file by file.

organizations/<slug>.toml      an organisation and its [[family]] tables
licences.toml                  [[licence]]
benchmarks.toml                [[benchmark]]
accelerators/<vendor>.toml     [[accelerator]]
models/<organisation>/<slug>/  card.toml with [[source]] tables, config.json, scores.toml
score_aliases.toml             [aliases]: another spelling = "slug"
unmatched_scores.toml          [[score]] of models that have no card
closed_scores.toml             [[score]] of closed models, which never get one
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from catalog.source.faults import Fault
from catalog.source.reading import Reader
from catalog.source.records import (
    AcceleratorRecord,
    BenchmarkRecord,
    FamilyRecord,
    LicenceRecord,
    ModelRecord,
    OrganizationRecord,
    Record,
    ScoreRecord,
    SourceRecord,
)

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class Placed(Generic[R]):
    """A record and the place it was read from."""

    record: R
    file: str
    key: str = ""

    def fault(self, key: str, message: str) -> Fault:
        return Fault(self.file, ".".join(part for part in (self.key, key) if part), message)


@dataclass(kw_only=True)
class Files:
    """All records as read, before they are checked against each other."""

    organizations: list[Placed[OrganizationRecord]] = field(default_factory=list)
    families: list[Placed[FamilyRecord]] = field(default_factory=list)
    licences: list[Placed[LicenceRecord]] = field(default_factory=list)
    models: list[Placed[ModelRecord]] = field(default_factory=list)
    benchmarks: list[Placed[BenchmarkRecord]] = field(default_factory=list)
    accelerators: list[Placed[AcceleratorRecord]] = field(default_factory=list)
    scores: list[Placed[ScoreRecord]] = field(default_factory=list)
    anchors: list[Placed[ScoreRecord]] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)
    cards: set[str] = field(default_factory=set)  # slugs of all models, also of those whose card has faults


def read(reader: Reader) -> Files:
    """Every record that fits its type. What does not is a fault of the reader."""
    files, root = Files(), reader.directory
    _read_aliases(reader, files)
    for path in sorted((root / "organizations").glob("*.toml")):
        content = reader.toml(path)
        families = list(reader.split(path, content, "family"))
        _keep(files.organizations, reader, OrganizationRecord, path, content, slug=path.stem)
        for key, table in families:
            _keep(files.families, reader, FamilyRecord, path, table, key, organization=path.stem)
    for path in sorted((root / "accelerators").glob("*.toml")):
        for key, table in reader.tables(path, "accelerator"):
            _keep(files.accelerators, reader, AcceleratorRecord, path, table, key, vendor=path.stem)
    for key, table in reader.tables(root / "licences.toml", "licence"):
        _keep(files.licences, reader, LicenceRecord, root / "licences.toml", table, key)
    for key, table in reader.tables(root / "benchmarks.toml", "benchmark"):
        _keep(files.benchmarks, reader, BenchmarkRecord, root / "benchmarks.toml", table, key)
    for path in sorted((root / "models").glob("*/*/card.toml")):
        _read_model(reader, files, path)
    for name, kept in (("unmatched_scores.toml", files.scores), ("closed_scores.toml", files.anchors)):
        if (root / name).exists():
            for key, table in reader.tables(root / name, "score"):
                if isinstance(name_in_file := table.get("model"), str):
                    table["model"] = files.aliases.get(name_in_file, name_in_file)
                _keep(kept, reader, ScoreRecord, root / name, table, key)
    return files


def _read_aliases(reader: Reader, files: Files) -> None:
    path = reader.directory / "score_aliases.toml"
    if not path.exists():
        return
    content = reader.toml(path)
    for name, slug in reader.table(path, content, "aliases").items():
        if isinstance(slug, str) and slug:
            files.aliases[name] = slug
        else:
            reader.fault(path, f"aliases.{name}", "not the slug of a model")
    for key in content:
        reader.fault(path, key, "unknown key; the file holds one table, [aliases]")


def _read_model(reader: Reader, files: Files, path: Path) -> None:
    folder = path.parent
    given: dict[str, Any] = {"slug": folder.name, "organization": folder.parent.name}
    if (folder / "config.json").exists():
        given["config"] = reader.config(folder / "config.json")
    files.cards.add(folder.name)
    content = reader.toml(path)
    tables = list(reader.split(path, content, "source"))
    sources = (reader.record(SourceRecord, path, table, key) for key, table in tables)
    given["sources"] = [source for source in sources if source is not None]
    _keep(files.models, reader, ModelRecord, path, content, **given)
    if (folder / "scores.toml").exists():
        for key, table in reader.tables(folder / "scores.toml", "score"):
            _keep(files.scores, reader, ScoreRecord, folder / "scores.toml", table, key, model=folder.name)


def _keep(
    kept: list[Placed[R]], reader: Reader, kind: type[R], path: Path, table: dict[str, Any], key: str = "", **given: Any
) -> None:
    record = reader.record(kind, path, table, key, **given)
    if record is not None:
        kept.append(Placed(record, path.relative_to(reader.directory).as_posix(), key))
