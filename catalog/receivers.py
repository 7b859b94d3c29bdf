"""What a change of one row means for others."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_delete, post_save, pre_save

from catalog import standings
from catalog.models import Benchmark, DataChange, LanguageModel, Removal, Score, ScoreChange, Synced
from catalog.sync.kinds import KINDS


def remember_removal(sender: type[Synced], instance: Synced, using: str, **kwargs: Any) -> None:
    """A shipped row that an editor deletes is not brought back by the next sync."""
    if instance.shipped is not None:
        kind = next(kind for kind in KINDS if kind.model is sender)
        Removal.objects.using(using).get_or_create(kind=kind.name, key=kind.identity(instance.shipped))


def forget_removal(sender: type[Synced], instance: Synced, using: str, created: bool, **kwargs: Any) -> None:
    """One that came back is not missing any more."""
    if created and instance.shipped is not None:
        kind = next(kind for kind in KINDS if kind.model is sender)
        Removal.objects.using(using).filter(kind=kind.name, key=kind.identity(instance.shipped)).delete()


def rank_again(sender: type[Synced], raw: bool = False, **kwargs: Any) -> None:
    if not raw:
        standings.ask()


def tell_caches(sender: type[Synced], **kwargs: Any) -> None:
    DataChange.record()


def note_where_it_was(sender: type[Score], instance: Score, **kwargs: Any) -> None:
    """A score that is moved leaves another benchmark, or was another model's."""
    ScoreChange.record(sender._base_manager.filter(pk=instance.pk).values_list("benchmark_id", flat=True))


def note_where_it_is(sender: type[Score], instance: Score, **kwargs: Any) -> None:
    ScoreChange.record([instance.benchmark_id])


def connect() -> None:
    for kind in KINDS:
        post_save.connect(tell_caches, sender=kind.model, dispatch_uid=f"caches after a changed {kind.name}")
        post_delete.connect(tell_caches, sender=kind.model, dispatch_uid=f"caches after a deleted {kind.name}")
        post_delete.connect(remember_removal, sender=kind.model, dispatch_uid=f"removal of {kind.name}")
        post_save.connect(forget_removal, sender=kind.model, dispatch_uid=f"return of {kind.name}")
    for ranked in (LanguageModel, Benchmark, Score):
        post_save.connect(rank_again, sender=ranked, dispatch_uid=f"ranks after a changed {ranked.__name__}")
        post_delete.connect(rank_again, sender=ranked, dispatch_uid=f"ranks after a deleted {ranked.__name__}")
    pre_save.connect(note_where_it_was, sender=Score, dispatch_uid="numbers before a changed score")
    for signal, change in ((post_save, "changed"), (post_delete, "deleted")):
        signal.connect(note_where_it_is, sender=Score, dispatch_uid=f"numbers after a {change} score")
