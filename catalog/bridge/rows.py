"""Rows as they are now, read once after each change and shared by all who ask: never to be changed."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from django.http import Http404
from django.utils.translation import get_language

from catalog.bridge.one_row import ManyRows, OneRow
from catalog.models import Accelerator, Alias, DataChange, LanguageModel
from catalog.models.querysets import TABLE_COLUMNS

MOST_KEPT = 1000
TO_PLACE = (
    *("slug", "name", "organization__slug", "organization__name", "config", "config_unread", "updated_at"),
    *("context_tokens", "context_extended_tokens", "total_parameters", "total_label", "active_parameters"),
    *("num_experts", "hf_repo", "modelscope_repo", "gguf_repo", "ollama_tag", "input_modalities"),
)
"""What is asked of a model to place it on cards, and what is said of it there."""


def published_model(slug: str) -> LanguageModel | None:
    """A published model by its slug, whatever text that is."""
    return _published(slug, DataChange.version())


def published_model_or_404(slug: str) -> LanguageModel:
    found = published_model(slug)
    if found is None:
        raise Http404
    return found


def current_slug(name: str) -> str | None:
    """Of the published model that has `name` as another name, such as its slug of earlier days."""
    alias = Alias.objects.filter(name=name, model__is_published=True).select_related("model").first()
    return alias.model.slug if alias else None


def accelerator_or_404(slug: str) -> Accelerator:
    found = _accelerator(slug, DataChange.version())
    if found is None:
        raise Http404
    return found


def models_to_place(keys: Iterable[int]) -> list[LanguageModel]:
    """Models with these primary keys, in this order, with `TO_PLACE`."""
    return _models(keys, PLACED, TO_PLACE)


def models_for_table(keys: Iterable[int]) -> list[LanguageModel]:
    """Models with these primary keys, in this order, with `TABLE_COLUMNS`."""
    return _models(keys, LISTED, TABLE_COLUMNS)


def _models(keys: Iterable[int], rows: ManyRows[LanguageModel], columns: tuple[str, ...]) -> list[LanguageModel]:
    """One query for those that nobody asked for before."""
    asked, kept = list(keys), _kept(columns, get_language(), DataChange.version())
    found = {key: kept[key] for key in asked if key in kept}
    if missing := [key for key in asked if key not in found]:
        read = rows.of(missing)
        if len(kept) + len(read) > MOST_KEPT:
            kept.clear()
        kept.update(read)
        found |= read
    return [found[key] for key in asked if key in found]


@lru_cache(maxsize=6)
def _kept(columns: tuple[str, ...], language: str | None, version: str) -> dict[int, LanguageModel]:
    return {}


@lru_cache(maxsize=512)
def _accelerator(slug: str, version: str) -> Accelerator | None:
    return CARD.named(slug)


@lru_cache(maxsize=512)
def _published(slug: str, version: str) -> LanguageModel | None:
    return MODEL.named(slug)


PLACED = ManyRows(lambda: LanguageModel.objects.select_related("organization").only(*TO_PLACE))
LISTED = ManyRows(lambda: LanguageModel.objects.select_related("organization", "licence").only(*TABLE_COLUMNS))
CARD = OneRow(lambda: Accelerator.objects.all(), "slug")
MODEL = OneRow(lambda: LanguageModel.objects.published().select_related("organization", "family", "licence"), "slug")
