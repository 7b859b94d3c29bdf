"""Whether the derived columns of a row are known to follow from its config, told without reading the config again.

A seal is a hash of all that they follow from, the code included, and of what they hold, the stored needs included. Any
of these may have been changed behind our back: then the seal is broken, and the row is computed anew. So a sync that
finds nothing new computes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db.models import Case, QuerySet, TextField, Value, When
from django.db.models.functions import Cast

import calculator
from catalog.models.need import Need

if TYPE_CHECKING:
    from catalog.models import LanguageModel

FOLLOW_FROM = ("updated_at", "config_unread", "context_tokens", "context_extended_tokens")
"""Beside the config itself. A row that was written for whatever reason is computed anew."""


def broken(models: QuerySet[LanguageModel], holding: Sequence[str]) -> list[int]:
    """Primary keys of those of `models` that have to be computed, `holding` being their derived columns."""
    sealed = dict(models.order_by().values_list("pk", "seal"))
    return [pk for pk, seal in _seals(models, holding) if sealed[pk] != seal]


def put(models: QuerySet[LanguageModel], holding: Sequence[str]) -> None:
    """To be called once they are computed and stored. No reader sees a seal: rows do not count as changed."""
    seals = [When(pk=pk, then=Value(seal)) for pk, seal in _seals(models, holding)]
    if seals:
        models.order_by().update(seal=Case(*seals, default="seal"))


def _seals(models: QuerySet[LanguageModel], holding: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Of each the seal that it would have now. The config is asked for as text: reading it is most of the work."""
    columns = ("pk", *FOLLOW_FROM, *holding, "config_text")
    rows = models.order_by().annotate(config_text=Cast("config", TextField())).values_list(*columns)
    needs = _needs(models)
    for pk, *values in rows:
        told = repr((values, needs[pk])).encode()
        yield pk, blake2b(told, key=RULES, digest_size=16).hexdigest()


def _needs(models: QuerySet[LanguageModel]) -> defaultdict[int, list[tuple[Any, ...]]]:
    columns = [field.attname for field in Need._meta.concrete_fields if not field.primary_key]
    found: defaultdict[int, list[tuple[Any, ...]]] = defaultdict(list)
    rows = Need.objects.filter(model__in=models.order_by().values("pk")).order_by("model", "engine")
    for row in rows.values_list("model_id", *columns):
        found[row[0]].append(row)
    return found


def _rules(program: Path, models: Path) -> bytes:
    """All that derived columns are computed by: the code, and the tables that lie beside it."""
    found = [models / name for name in ("derived.py", "language_model.py", "need.py")]
    for package in ("architecture", "memory"):
        found += sorted(path for path in (program / package).rglob("*") if path.is_file())
    digest = blake2b(digest_size=16)
    for path in found:
        if path.parent.name != "__pycache__":
            root = models if path.is_relative_to(models) else program
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.digest()


RULES = _rules(Path(calculator.__file__).parent, Path(__file__).parent)
"""Of the code that this process runs: asked while it is loaded, because a deploy may change the files beneath it."""
