"""What a change of one row means for others."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_delete, post_save

from catalog import standings
from catalog.models import (
    Alias,
    Benchmark,
    DataChange,
    Family,
    LanguageModel,
    Organization,
    Removal,
    Score,
    Synced,
    derived,
)
from catalog.sync.kinds import KINDS


def remember_removal(sender: type[Synced], instance: Synced, using: str, **kwargs: Any) -> None:
    """A shipped row that an editor deletes is not brought back by the next sync."""
    if instance.shipped is not None:
        kind = next(kind for kind in KINDS if kind.model is sender)
        Removal.objects.using(using).get_or_create(kind=kind.name, key=kind.identity(instance.shipped))


def refresh_models(sender: type[Synced], instance: Synced, raw: bool = False, **kwargs: Any) -> None:
    """Models are found by the names of their organisation, their family and their aliases."""
    if raw:
        return
    if isinstance(instance, Alias):
        derived.refresh_names(LanguageModel.objects.filter(pk=instance.model_id))
    elif isinstance(instance, Organization | Family):
        derived.refresh_names(instance.models.all())


def rank_again(sender: type[Synced], raw: bool = False, **kwargs: Any) -> None:
    if not raw:
        standings.schedule()


def tell_caches(sender: type[Synced], **kwargs: Any) -> None:
    DataChange.record()


def connect() -> None:
    for kind in KINDS:
        post_save.connect(tell_caches, sender=kind.model, dispatch_uid=f"caches after a changed {kind.name}")
        post_delete.connect(tell_caches, sender=kind.model, dispatch_uid=f"caches after a deleted {kind.name}")
        post_delete.connect(remember_removal, sender=kind.model, dispatch_uid=f"removal of {kind.name}")
    for sender in (Organization, Family, Alias):
        post_save.connect(refresh_models, sender=sender, dispatch_uid=f"names of {sender.__name__}")
    post_delete.connect(refresh_models, sender=Alias, dispatch_uid="names of a deleted Alias")
    for ranked in (LanguageModel, Benchmark, Score):
        post_save.connect(rank_again, sender=ranked, dispatch_uid=f"ranks after a changed {ranked.__name__}")
        post_delete.connect(rank_again, sender=ranked, dispatch_uid=f"ranks after a deleted {ranked.__name__}")
