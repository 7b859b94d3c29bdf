"""In words: whose file a model's shape is read from, and what its release date is the date of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from catalog.model_page.citations import Citations
from catalog.models.vocabulary import SourceKind

# The kinds of source of a config.json, nearest to the publisher first, and what the page says of each.
CONFIG_ORIGINS: Mapping[str, Promise] = {
    SourceKind.CONFIG: gettext_lazy("The shape is the publisher's own config.json, as a public copy has it."),
    SourceKind.OFFICIAL_REPO: gettext_lazy("The shape is taken from a file in the publisher's repository."),
    SourceKind.PAPER: gettext_lazy("The publisher's config.json was not read: the shape is rebuilt from its paper."),
    SourceKind.SECONDARY: gettext_lazy(
        "The publisher's config.json was not read: the shape is rebuilt from what others state."
    ),
    SourceKind.LIBRARY_DEFAULT: gettext_lazy(
        "The publisher's config.json was not read: the shape is what a library holds for this model by default."
    ),
}
BY_DEFAULT = gettext_lazy("Keys that it does not name are a library's defaults.")


@dataclass(frozen=True, slots=True)
class Origin:
    """A sentence, and the footnotes of the sources it speaks of."""

    text: str | Promise
    citations: list[int]


def config_origins(citations: Citations) -> list[Origin]:
    """Where config.json is from: the nearest kind of source, then the defaults that fill it up."""
    by_kind = {kind: citations.of_kind(kind, "config") for kind in CONFIG_ORIGINS}
    nearest = next((kind for kind, numbers in by_kind.items() if numbers), None)
    if nearest is None:
        return []
    origins = [Origin(CONFIG_ORIGINS[nearest], by_kind[nearest])]
    defaults = by_kind[SourceKind.LIBRARY_DEFAULT]
    if nearest in (SourceKind.PAPER, SourceKind.SECONDARY) and defaults:
        origins.append(Origin(BY_DEFAULT, defaults))
    return origins


def of_repository(citations: Citations) -> bool:
    """Whether the release date is just that on which the repository was made: no source says when weights came."""
    kinds = {citations.sources[number - 1].kind for number in citations.of("release_date")}
    return kinds == {SourceKind.REPOSITORY_DATE}
