"""Rows as they are now, read once after each change and shared by all who ask: never to be changed."""

from __future__ import annotations

from functools import lru_cache

from django.http import Http404

from catalog.models import Alias, DataChange, LanguageModel


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


@lru_cache(maxsize=512)
def _published(slug: str, version: str) -> LanguageModel | None:
    linked = LanguageModel.objects.published().select_related("organization", "family", "licence")
    return linked.named(slug).first()
