"""Versions of rows: what files said, what editors wrote, what was deleted. Kept as django-reversion keeps them.

A model's version holds its sources and aliases, as its form does; scores have versions of their own. What is deleted is
kept with all that goes with it, so that it comes back whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import reversion
from django.contrib.contenttypes.models import ContentType
from django.core import serializers
from django.db import IntegrityError, router, transaction
from django.db.models import ForeignKey, Model, QuerySet, prefetch_related_objects
from django.db.models.deletion import Collector
from django.utils import timezone
from django.utils.translation import gettext_noop
from reversion.models import Revision, Version

from catalog import standings
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
    derived,
)
from catalog.models.querysets import LONG_COLUMNS

PARTS = ("sources", "aliases")  # of a model, and of its form
for kept in (Organization, Family, Licence, Benchmark, Accelerator, Score, Source, Alias):
    reversion.register(kept)
NOT_KEPT = ("seal",)  # of a model: it holds for the row that stands here, and is put anew on one that comes back
reversion.register(LanguageModel, follow=PARTS, exclude=NOT_KEPT)

FROM_FILES = gettext_noop("From the data files")
DELETED = gettext_noop("Deleted")
REPLACED = gettext_noop("Before another version was restored")
COMMENTS = (FROM_FILES, DELETED, REPLACED)
BATCH = 200
NOT_RESTORED = {"id", "shipped", "updated_at"}
"""What a file last said is no part of what stands here, and stays as it is."""


def record(rows: Iterable[Synced], comment: str, user: Any = None) -> None:
    """One version of each row as it is, with what its form holds."""
    _store([[row, *_parts(row)] for row in rows], comment, user)


def record_from_files(kind: type[Synced], keys: Iterable[int]) -> None:
    """Versions of the rows that a sync wrote."""
    wanted = sorted(keys)
    for start in range(0, len(wanted), BATCH):
        # Not in their own order, which joins other tables: with statistics of other data SQLite took minutes for it.
        found: QuerySet[Any] = kind._base_manager.filter(pk__in=wanted[start : start + BATCH]).order_by("pk")
        if kind is Score:  # which is named by both
            found = found.select_related("model", "benchmark").defer(*(f"model__{name}" for name in LONG_COLUMNS))
        rows: list[Synced] = list(found)
        prefetch_related_objects(rows, *(PARTS if kind is LanguageModel else ()))
        record(rows, FROM_FILES)


def _parts(row: Synced) -> list[Synced]:
    return [*row.sources.all(), *row.aliases.all()] if isinstance(row, LanguageModel) else []


def keep_deleted(row: Synced, user: Any) -> None:
    """A version of all that goes with `row`, to be called before it is deleted."""
    collector = Collector(using=router.db_for_write(type(row)), origin=row)
    collector.collect([row])
    goes: list[Model] = [one for model, rows in collector.data.items() for one in rows if issubclass(model, Synced)]
    goes += [one for rows in collector.fast_deletes for one in rows if isinstance(one, Synced)]
    _store([[row, *(one for one in goes if one != row)]], DELETED, user)


def _store(groups: list[list[Any]], comment: str, user: Any) -> None:
    revisions = [Revision(date_created=timezone.now(), comment=comment, user=user) for _group in groups]
    with transaction.atomic(savepoint=False):  # nobody goes on where history cannot be written
        Revision.objects.bulk_create(revisions, batch_size=BATCH)
        Version.objects.bulk_create(
            (_version(row, revision) for revision, group in zip(revisions, groups, strict=True) for row in group),
            batch_size=BATCH,
        )


def _version(row: Model, revision: Revision) -> Version:
    kept = [column.name for column in row._meta.local_fields if column.name not in NOT_KEPT]
    return Version(
        revision=revision,
        content_type=ContentType.objects.get_for_model(type(row)),
        object_id=str(row.pk),
        db=router.db_for_write(type(row)),
        format="json",
        serialized_data=serializers.serialize("json", (row,), fields=kept),
        object_repr=str(row),
    )


def restorable(row: Synced) -> Iterator[str]:
    """Columns that an editor could have written. What is kept in both languages has a column for each, and one more."""
    names = {column.name for column in row._meta.concrete_fields}
    for column in row._meta.concrete_fields:
        if column.name not in NOT_RESTORED and column.editable and f"{column.name}_en" not in names:
            yield column.attname


def restore(row: Synced, version: Version, user: Any) -> None:
    """Brings `row`, its sources and its aliases to an older version. What stands here becomes a version first.

    Raises IntegrityError where it names rows that are gone.
    """
    with transaction.atomic():
        record([row], REPLACED, user)
        for name in restorable(row):
            setattr(row, name, version.field_dict[name])
        _check_links(row)
        row.save()
        _restore_parts(row, version)
        standings.ask()


def _check_links(row: Any) -> None:
    """Databases look at links when a transaction ends, too late for a word on it."""
    for column in row._meta.concrete_fields:
        key = getattr(row, column.attname) if isinstance(column, ForeignKey) else None
        if key is not None and not column.related_model._base_manager.filter(pk=key).exists():
            raise IntegrityError(f"{row._meta.model_name}.{column.name}: there is no {key}")


def _restore_parts(row: Synced, version: Version) -> None:
    for part in (Source, Alias) if isinstance(row, LanguageModel) else ():
        content = ContentType.objects.get_for_model(part)
        then = {int(kept.object_id): kept for kept in version.revision.version_set.filter(content_type=content)}
        for gone in part._base_manager.filter(model_id=row.pk).exclude(pk__in=then):
            gone.delete()
        for pk, kept in then.items():
            now = part._base_manager.filter(pk=pk).first() or part(pk=pk)
            for name in restorable(now):
                setattr(now, name, kept.field_dict[name])
            if now._state.adding:
                now.shipped = kept.field_dict["shipped"]
            now.save()


def bring_back(version: Version) -> None:
    """What was deleted, with all that went with it. Raises IntegrityError, or
    reversion's RevertError, where what it belongs to is gone."""
    with transaction.atomic():
        version.revision.revert()
        for kept in version.revision.version_set.select_related("content_type"):
            _check_links(kept.object)
        models = ContentType.objects.get_for_model(LanguageModel)
        back = version.revision.version_set.filter(content_type=models).values_list("object_id", flat=True)
        derived.refresh(LanguageModel.objects.filter(pk__in=map(int, back)))
        standings.ask()
