"""Rows -> files: what stands in the database, as data files that `check_catalog` accepts."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from catalog.models import Accelerator, Alias, Benchmark, Family, LanguageModel, Licence, Organization, Score
from catalog.source.catalogue import SourceCatalogue, load
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
from catalog.source.writing import write

R = TypeVar("R", bound=Record)
LINKS = ("organization", "family", "licence", "model", "benchmark")


def export(directory: Path, shipped: Path) -> SourceCatalogue:
    """Writes all rows, drafts too, into an empty folder.

    Scores of models without a card have no rows, nor have the credits: they come from the `shipped` folder.
    """
    others = load(shipped)
    scores = tuple(_records(ScoreRecord, Score.objects.select_related("model", "benchmark").order_by("pk")))
    written = {score.key for score in scores}
    catalogue = SourceCatalogue(
        organizations=tuple(_records(OrganizationRecord, Organization.objects.order_by("slug"))),
        families=tuple(_records(FamilyRecord, Family.objects.select_related("organization").order_by("slug"))),
        licences=tuple(_records(LicenceRecord, Licence.objects.order_by("slug"))),
        models=tuple(_models()),
        benchmarks=tuple(_records(BenchmarkRecord, Benchmark.objects.order_by("slug"))),
        accelerators=tuple(_records(AcceleratorRecord, Accelerator.objects.order_by("slug"))),
        scores=scores,
        unmatched=tuple(score for score in others.unmatched if score.key not in written),
        anchors=others.anchors,
        aliases=dict(Alias.objects.order_by("name").values_list("name", "model__slug")),
        remarks=(),
    )
    write(catalogue, directory)
    if (shipped / "NOTICE").exists():
        shutil.copyfile(shipped / "NOTICE", directory / "NOTICE")
    return catalogue


def record_of(kind: type[R], row: Any, **extra: Any) -> R:
    """A row as a record; raises pydantic's `ValidationError` where it would not be accepted in a file."""
    names = kind.model_fields.keys() - extra.keys()
    return kind.model_validate({name: _value(row, name, kind) for name in names} | extra)


def _value(row: Any, name: str, kind: type[Record]) -> Any:
    value = getattr(row, name)
    if name in LINKS:
        return value.slug if value is not None else None
    if value is None and kind.model_fields[name].default == "":
        return ""
    return value


def _records(kind: type[R], rows: Any) -> Iterator[R]:
    return (record_of(kind, row) for row in rows)


def _models() -> Iterator[ModelRecord]:
    rows = LanguageModel.objects.select_related("organization", "family", "licence").prefetch_related("sources")
    for row in rows:
        sources = [record_of(SourceRecord, source) for source in row.sources.all()]
        yield record_of(ModelRecord, row, sources=sources)
