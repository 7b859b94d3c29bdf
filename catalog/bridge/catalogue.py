"""The catalogue as the full calculator asks it: its models and its cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from calculator.architecture import Shape
from calculator.catalogue import Found, Model, Recognised
from calculator.figures import billions
from calculator.hardware import Card, HardwareError, WeightSource
from calculator.hardware.command import auto_class
from catalog.bridge.cards import all_cards
from catalog.bridge.recognition import recognise
from catalog.bridge.rows import published_model
from catalog.bridge.shapes import max_context_tokens, shape_of
from catalog.models import LanguageModel
from catalog.ranking.scope import OVERALL
from catalog.search import BestFirst
from catalog.standings.boards import newest

FOUND = 12
ONE_CARD_BYTES = 22 * 2**30
MEDIA = frozenset({"image", "video", "audio"})
DRAFT_SHARE = 4
"""A draft model pays off where it is several times smaller than what it guesses for."""


class DatabaseCatalogue:
    """`calculator.catalogue.Catalogue` from the database."""

    def cards(self) -> Sequence[Card]:
        return all_cards()

    def default(self) -> str:
        """The best that a card of 24 GB holds, by the overall board; the newest before anything is ranked."""
        rows = LanguageModel.objects.published().filter(config__isnull=False, memory_8k_bytes__lte=ONE_CARD_BYTES)
        if board := newest().get(OVERALL.key):
            ranked = rows.filter(places__release=board, places__rank__isnull=False).order_by("places__rank", "slug")
            if best := ranked.values_list("slug", flat=True).first():
                return best
        return rows.order_by("-release_date", "slug").values_list("slug", flat=True).first() or ""

    def model(self, slug: str) -> Model | None:
        row = published_model(slug)
        shape = shape_of(row) if row else None
        if row is None or shape is None:
            return None
        return Model(
            slug=row.slug,
            name=row.name,
            url=row.get_absolute_url(),
            shape=shape,
            max_context_tokens=max_context_tokens(row, shape),
            sources=sources(row, shape),
            drafts=tuple(_drafts(row)),
        )

    def search(self, text: str) -> Sequence[Found]:
        rows = LanguageModel.objects.published().filter(config__isnull=False).for_list()
        named = BestFirst(rows, "model", text) if text.strip() else rows.order_by("-release_date", "slug")
        return [
            Found(slug=row.slug, name=row.name, detail=" · ".join(filter(None, _details(row)))) for row in named[:FOUND]
        ]

    def targets(self, hidden_size: int, vocab_size: int, layers: int | None) -> Sequence[Found]:
        rows = LanguageModel.objects.published().filter(
            config__isnull=False, hidden_size=hidden_size, vocab_size=vocab_size
        )
        if layers is not None:
            rows = rows.filter(num_layers=layers)
        found = rows.for_list().order_by("-release_date", "slug")[:FOUND]
        return [Found(slug=row.slug, name=row.name, detail=" · ".join(filter(None, _details(row)))) for row in found]

    def recognise(self, names: Sequence[str], shown: Mapping[str, int]) -> Sequence[Recognised]:
        return recognise(names, shown)


def _details(row: LanguageModel) -> tuple[str, str]:
    return row.organization.name, billions(row.total_parameters) or row.total_label


def sources(row: LanguageModel, shape: Shape) -> tuple[tuple[str, WeightSource], ...]:
    """Where the weights lie on each hub. Where the repository is not known, the commands name one to replace."""
    repositories = {"huggingface": (row.hf_repo, row.gguf_repo), "modelscope": (row.modelscope_repo, "")}
    return tuple((hub, _source(row, *known, shape)) for hub, known in repositories.items())


def _source(row: LanguageModel, repository: str, gguf: str, shape: Shape) -> WeightSource:
    source = WeightSource(
        name=row.name,
        native_format=shape.native_format,
        native_cache=shape.quantization.cache if shape.quantization else "",
        auto_class=auto_class(shape),
        multimodal=not MEDIA.isdisjoint(row.input_modalities),
        ollama=row.ollama_tag or None,
    )
    try:
        return replace(source, repository=repository or None, gguf=gguf or None)
    except HardwareError:  # not the name of a repository, so a command must not quote it
        return source


def _drafts(row: LanguageModel) -> Sequence[tuple[str, str]]:
    """Published models with the same vocabulary, of the same organisation, several times smaller."""
    if not row.total_parameters or not row.vocab_size:
        return []
    rows = LanguageModel.objects.published().filter(
        organization=row.organization_id,
        vocab_size=row.vocab_size,
        total_parameters__lte=row.total_parameters // DRAFT_SHARE,
        config__isnull=False,
    )
    return list(rows.order_by("total_parameters", "slug").values_list("slug", "name"))
