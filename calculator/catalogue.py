"""What the full calculator asks of a catalogue. The calculator itself knows no entry and no database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from calculator.architecture import Shape
from calculator.hardware import Card, WeightSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model to compute: from the catalogue, or read from a pasted config.json (then without slug and address).

    `sources` says for each hub where its weights lie. `drafts` are (slug, name) of models that may guess ahead.
    """

    name: str
    shape: Shape
    slug: str = ""
    url: str = ""
    max_context_tokens: int | None = None
    sources: tuple[tuple[str, WeightSource], ...] = ()
    drafts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One line of a search for a model."""

    slug: str
    name: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """A model that a log may be of. `by` says what it was told by: its `repository`, its `name` or only its `shape`."""

    slug: str
    name: str
    by: str


class Catalogue(Protocol):
    def cards(self) -> Sequence[Card]:
        """All accelerators, named in the active language."""
        ...

    def default(self) -> str:
        """Slug of the model that is shown to a reader who has asked for none; empty where there is none."""
        ...

    def model(self, slug: str) -> Model | None:
        """The model, or None where there is none of that name whose config is known."""
        ...

    def search(self, text: str) -> Sequence[Found]:
        """Models with a known config whose names contain `text`; the newest where it is empty."""
        ...

    def targets(self, hidden_size: int, vocab_size: int, layers: int | None) -> Sequence[Found]:
        """Models with these sizes, of which a draft head may be; `layers` is None where it does not say so."""
        ...

    def recognise(self, names: Sequence[str], shown: Mapping[str, int]) -> Sequence[Recognised]:
        """Models that one of `names` (repositories, bare file names) means and that have the shape `shown`, the surest
        first; where no name is known, those of that shape. Empty where nothing agrees.
        """
        ...


def configured_catalogue() -> Catalogue:
    """The one that the site's settings name (`CALCULATOR_CATALOGUE`)."""
    catalogue: Catalogue = import_string(settings.CALCULATOR_CATALOGUE)()
    return catalogue
