"""Which records fill which rows, in the order that references ask for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from catalog.models import (
    Accelerator,
    Alias,
    Benchmark,
    Family,
    LanguageModel,
    Licence,
    Organization,
    Score,
    Source,
    Synced,
)
from catalog.source import SourceCatalogue

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """`key` names the fields by which a row and a record are the same thing, `links` those that hold another's slug.

    Rows of a kind with an `owner` belong to a card: one that its file no longer lists goes, if nobody edited it.
    """

    model: type[Synced]
    records: Callable[[SourceCatalogue], Iterable[Values]]
    key: tuple[str, ...] = ("slug",)
    links: Mapping[str, type[Synced]] = field(default_factory=dict)
    owner: str = ""

    @property
    def name(self) -> str:
        return self.model._meta.model_name or ""

    def identity(self, values: Mapping[str, Any]) -> str:
        return json.dumps([values[name] for name in self.key], ensure_ascii=False)

    def identity_of_owner(self, values: Mapping[str, Any]) -> str | None:
        """That of the card which a record belongs to."""
        return json.dumps([values[self.owner]], ensure_ascii=False) if self.owner else None


def _models(catalogue: SourceCatalogue) -> Iterable[Values]:
    return (model.model_dump(exclude={"sources"}) for model in catalogue.models)


def _aliases(catalogue: SourceCatalogue) -> Iterable[Values]:
    return ({"name": name, "model": slug} for name, slug in catalogue.aliases.items())


def _sources(catalogue: SourceCatalogue) -> Iterable[Values]:
    for model in catalogue.models:
        for position, source in enumerate(model.sources, 1):
            yield {**source.model_dump(), "model": model.slug, "position": position}


KINDS = (
    Kind(Organization, lambda catalogue: (record.model_dump() for record in catalogue.organizations)),
    Kind(Licence, lambda catalogue: (record.model_dump() for record in catalogue.licences)),
    Kind(Benchmark, lambda catalogue: (record.model_dump() for record in catalogue.benchmarks)),
    Kind(Accelerator, lambda catalogue: (record.model_dump() for record in catalogue.accelerators)),
    Kind(
        Family,
        lambda catalogue: (record.model_dump() for record in catalogue.families),
        links={"organization": Organization},
    ),
    Kind(
        LanguageModel,
        _models,
        links={"organization": Organization, "family": Family, "licence": Licence},
    ),
    Kind(Alias, _aliases, key=("name",), links={"model": LanguageModel}, owner="model"),
    Kind(Source, _sources, key=("model", "ref", "kind"), links={"model": LanguageModel}, owner="model"),
    Kind(
        Score,
        lambda catalogue: (record.model_dump() for record in catalogue.scores),
        key=("model", "benchmark", "variant", "mode", "settings", "date", "source"),
        links={"model": LanguageModel, "benchmark": Benchmark},
        owner="model",
    ),
)
