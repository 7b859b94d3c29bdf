"""What is downloaded and liked most, and how much of it has a card."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import Field

from catalog.source.faults import SourceError
from catalog.source.fields import Count, Repository
from catalog.source.reading import Reader
from catalog.source.records import ModelRecord, Record

FILE = "popular.toml"
Measure = Literal["downloads", "likes"]


class PopularRecord(Record):
    """A model by its repository on Hugging Face. A count is there where the model is among the first by it.

    `downloads` are those of 30 days, `likes` all there are; `listed_as` is the copy that the count is of.
    """

    repo: Annotated[Repository, Field(min_length=1)]
    listed_as: Repository = ""
    downloads: Count | None = None
    likes: Count | None = None


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of the models with the highest counts by one measure, how many have a card, and which have none."""

    measure: Measure
    models: int
    missing: tuple[PopularRecord, ...]

    @property
    def share(self) -> float:
        return 1 - len(self.missing) / self.models


def load_popular(directory: Path) -> tuple[PopularRecord, ...]:
    """The list beside the catalogue; empty where a folder has none. Raises `SourceError` with all faults."""
    path = directory / FILE
    if not path.exists():
        return ()
    reader = Reader(directory)
    read = [reader.record(PopularRecord, path, table, key) for key, table in reader.tables(path, "popular")]
    records = tuple(record for record in read if record is not None)
    seen: set[str] = set()
    for record in records:
        if record.repo.casefold() in seen:
            reader.fault(path, "popular.repo", f"{record.repo!r} twice")
        seen.add(record.repo.casefold())
    if reader.faults:
        raise SourceError(directory, reader.faults)
    return records


def coverage(popular: Iterable[PopularRecord], models: Iterable[ModelRecord]) -> Iterator[Coverage]:
    """By each measure; a card covers the repository it names, whatever the case of its letters."""
    popular = tuple(popular)
    carded = {model.hf_repo.casefold() for model in models if model.hf_repo}
    for measure in get_args(Measure):
        counted = [record for record in popular if getattr(record, measure) is not None]
        if counted:
            missing = (record for record in counted if record.repo.casefold() not in carded)
            yield Coverage(measure, len(counted), tuple(missing))
