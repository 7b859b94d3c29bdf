"""Rows -> files: what stands in the database, as data files that `check_catalog` accepts."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Set
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from django.db.models import Prefetch
from pydantic import ValidationError

from catalog.models import Accelerator, Alias, Benchmark, Family, LanguageModel, Licence, Organization, Score
from catalog.source.catalogue import SourceCatalogue, load
from catalog.source.faults import Fault, SourceError
from catalog.source.reading import reasons
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
from catalog.source.writing import write, write_model

R = TypeVar("R", bound=Record)
BATCH = 100
Key = tuple[str, ...]
LINKS = ("organization", "family", "licence", "model", "benchmark")


class Written(NamedTuple):
    models: int
    scores: int


def export(directory: Path, shipped: Path) -> Written:
    """Writes all rows, drafts too, into an empty or new folder. Models are read and written one by one: with their
    scores, each of them with its model, 20,000 of them would not fit a small machine.

    Scores of models without a card have no rows, nor have the credits: they come from the `shipped` folder.
    Raises `SourceError` with every value that no file may hold, and leaves the folder as it was: forms refuse such a
    value, but a row may be older than the rule, or come from elsewhere.
    """
    others = replace(load(shipped), models=(), scores=())
    rows = Rows()
    catalogue = SourceCatalogue(
        organizations=rows.records(OrganizationRecord, Organization.objects.order_by("slug")),
        families=_as_in(
            others.families, rows.records(FamilyRecord, Family.objects.select_related("organization").order_by("slug"))
        ),
        licences=_as_in(others.licences, rows.records(LicenceRecord, Licence.objects.order_by("slug"))),
        models=(),
        benchmarks=_as_in(others.benchmarks, rows.records(BenchmarkRecord, Benchmark.objects.order_by("slug"))),
        accelerators=_as_in(others.accelerators, rows.records(AcceleratorRecord, Accelerator.objects.order_by("slug"))),
        scores=(),
        unmatched=others.unmatched,
        anchors=others.anchors,
        aliases=dict(Alias.objects.order_by("name").values_list("name", "model__slug")),
        remarks=(),
    )
    before = directory.exists()
    counts, matched = _write_models(rows, directory, {score.key for score in others.unmatched})
    if rows.faults:
        _remove(directory, but_itself=before)
        raise SourceError(directory, rows.faults)
    unmatched = tuple(score for score in others.unmatched if score.key not in matched)
    write(replace(catalogue, unmatched=unmatched), directory)
    if (shipped / "NOTICE").exists():
        shutil.copyfile(shipped / "NOTICE", directory / "NOTICE")
    return counts


def _write_models(rows: Rows, directory: Path, unmatched: Set[Key]) -> tuple[Written, set[Key]]:
    """How many, and which of the `unmatched` scores have a row by now."""
    models = scores = 0
    matched: set[Key] = set()
    for model, listed in rows.models():
        models, scores = models + 1, scores + len(listed)
        matched |= unmatched & {score.key for score in listed}
        if not rows.faults:
            write_model(model, listed, directory)
    return Written(models, scores), matched


def _remove(directory: Path, *, but_itself: bool) -> None:
    """What was written, which is models alone."""
    if directory.exists():
        for path in directory.iterdir():
            shutil.rmtree(path)
        if not but_itself:
            directory.rmdir()


def _as_in(shipped: tuple[Any, ...], records: tuple[R, ...]) -> tuple[R, ...]:
    """In the order of the shipped file, new ones last: a comparison of the two then shows only what was edited."""
    places = {record.slug: place for place, record in enumerate(shipped)}
    return tuple(sorted(records, key=lambda record: places.get(record.slug, len(places))))  # type: ignore[attr-defined]


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


class Rows:
    """Rows as records; those that no file may hold are left out, with the reasons in `faults`."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def records(self, kind: type[R], rows: Any) -> tuple[R, ...]:
        return tuple(record for row in rows if (record := self._record(kind, row)) is not None)

    def models(self) -> Iterator[tuple[ModelRecord, tuple[ScoreRecord, ...]]]:
        """Each with its scores."""
        scores = Prefetch("scores", Score.objects.select_related("benchmark").order_by("pk"))
        rows = LanguageModel.objects.select_related("organization", "family", "licence")
        for row in rows.prefetch_related("sources", scores).iterator(chunk_size=BATCH):
            listed = self.records(ScoreRecord, row.scores.all())
            sources = self.records(SourceRecord, row.sources.all())
            if (model := self._record(ModelRecord, row, sources=list(sources))) is not None:
                yield model, listed

    def _record(self, kind: type[R], row: Any, **extra: Any) -> R | None:
        try:
            return record_of(kind, row, **extra)
        except ValidationError as error:
            place = f"{row._meta.model_name} {getattr(row, 'slug', row.pk)}"
            self.faults += [Fault(place, name, message) for name, message in reasons(error)]
        return None
