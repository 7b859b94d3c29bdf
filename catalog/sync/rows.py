"""Records of one kind into its rows, in bulk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from django.db import models
from django.utils import timezone

from catalog.models import LanguageModel, Removal, Synced
from catalog.sync.kinds import Kind, Values
from catalog.sync.merge import merge, same
from catalog.sync.report import Kept, KindReport

BATCH = 500
OWN_COLUMNS = {"id", "shipped", "updated_at"}  # no file has them

# For each model that others link to: the slug by which files know a row, and its primary key.
Keys = dict[type[Synced], dict[str, int]]


def sync_kind(
    kind: Kind, records: list[Values], keys: Keys, *, theirs: bool, renamed: Mapping[str, str] = MappingProxyType({})
) -> KindReport:
    """Brings the rows of `kind` to what `records` say. Reads each table once; fills `keys` for kinds that link here.

    `renamed`: old slug -> new slug of models, whose rows and edits go on under the new one.
    """
    report = KindReport(kind.name, records=len(records))
    slugs = {model: {pk: slug for slug, pk in keys[model].items()} for model in kind.links.values()}
    wanted = {kind.identity(values) for values in records}
    rows, added = _rows(kind, slugs, wanted, renamed)
    removed: set[str] = set()
    if theirs or not wanted <= rows.keys():
        removed |= set(Removal.objects.filter(kind=kind.name).values_list("key", flat=True))
    created: list[Synced] = []
    changed: list[Synced] = []
    fields: set[str] = set()
    seen: set[str] = set()
    for values in records:
        identity = kind.identity(values)
        seen.add(identity)
        if identity in rows:
            row, here = rows[identity]
            names = _update(kind, row, here, values, keys, report, theirs=theirs)
            if names:
                changed.append(row)
                fields |= names
        elif not _linked(kind, values, keys):
            continue
        elif identity in removed and not theirs:
            report.removed.append(_label(kind, values))
        else:
            created.append(kind.model(**_attributes(kind, values, keys), shipped=values))
    manager: models.Manager[Any] = kind.model._base_manager
    manager.bulk_create(created, batch_size=BATCH)
    if changed:
        manager.bulk_update(changed, [*sorted(fields), "shipped", "updated_at"], batch_size=BATCH // 5)
    if theirs:
        Removal.objects.filter(kind=kind.name, key__in=removed & seen).delete()
    _vanished(kind, {identity: row for identity, row in rows.items() if identity not in seen}, report)
    report.created = len(created)
    report.written = {row.pk for row in (*created, *changed)}
    if "slug" in kind.key:
        shipped = [row for row, _ in rows.values()] + created
        keys[kind.model] = added | {(row.shipped or {})["slug"]: row.pk for row in shipped}
    return report


def _under_new_slug(kind: Kind, values: Values, renamed: Mapping[str, str]) -> Values:
    name = kind.owner or ("slug" if kind.model is LanguageModel else "")
    return {**values, name: renamed[values[name]]} if name and values[name] in renamed else values


def _rows(
    kind: Kind, slugs: dict[type[Synced], dict[int, str]], wanted: set[str], renamed: Mapping[str, str]
) -> tuple[dict[str, tuple[Synced, Values]], dict[str, int]]:
    """Rows that came from a file, and those that were added here and are now wanted by one: by identity, each with its
    values as a file would say them, and locked, as are all others that are read: an edit made from here on waits, so
    none is lost. And the keys of all rows that were added here, where others link to them by their slug.
    """
    all_rows: models.QuerySet[Any] = kind.model._base_manager.select_for_update()

    def identity(key: Values) -> str:
        return kind.identity(_under_new_slug(kind, key, renamed))

    rows: dict[str, tuple[Synced, Values]] = {}
    for row, here in _with_values(kind, all_rows.filter(shipped__isnull=False), slugs):
        rows.setdefault(identity(row.shipped or here), (row, here))
    linked = "slug" in kind.key
    if not linked and wanted <= rows.keys():
        return rows, {}
    names = tuple(dict.fromkeys((*kind.key, *filter(None, (kind.owner,)))))  # an owner's slug may have changed
    others = all_rows.filter(shipped__isnull=True).values_list("pk", *(_column(kind, name) for name in names))
    added: dict[str, int] = {}
    taken = []
    for pk, *said in others.iterator(BATCH):
        values = {name: _said(kind, name, value, slugs) for name, value in zip(names, said, strict=True)}
        key = identity(values)
        # Those from files come first: another row by a name that an editor changed in one of them is none of its.
        if key in wanted and key not in rows:
            taken.append(pk)
        elif linked:
            added[values["slug"]] = pk
    for start in range(0, len(taken), BATCH):
        for row, here in _with_values(kind, all_rows.filter(pk__in=taken[start : start + BATCH]), slugs):
            rows.setdefault(identity(here), (row, here))
    return rows, added


def _with_values(
    kind: Kind, rows: Iterable[Synced], slugs: dict[type[Synced], dict[int, str]]
) -> Iterator[tuple[Synced, Values]]:
    names = [column.name for column in kind.model._meta.concrete_fields if column.name not in OWN_COLUMNS]
    for row in rows:
        yield row, {name: _said(kind, name, getattr(row, _column(kind, name)), slugs) for name in names}


def _column(kind: Kind, name: str) -> str:
    return f"{name}_id" if name in kind.links else name


def _said(kind: Kind, name: str, value: Any, slugs: dict[type[Synced], dict[int, str]]) -> Any:
    """Another row by the slug under which files know it."""
    return slugs[kind.links[name]].get(value) if name in kind.links else value


def _update(
    kind: Kind, row: Synced, here: Values, values: Values, keys: Keys, report: KindReport, *, theirs: bool
) -> set[str]:
    """Changes `row`; returns the names of columns to write, empty where row and file agree on everything."""
    if row.shipped == values and all(same(here[name], value) for name, value in values.items()):
        return set()
    merged = merge(here, _last_said(row), values, theirs=theirs)
    for name in merged.kept:
        report.kept.append(Kept(_label(kind, values), name, here[name], values[name]))
    if not merged.changes and row.shipped == values:
        return set()
    if merged.changes:
        report.updated += 1
    for name, value in _attributes(kind, merged.changes, keys).items():
        setattr(row, name, value)
    row.shipped = values
    row.updated_at = timezone.now()
    return set(merged.changes) or {"shipped"}


def _last_said(row: Synced) -> Values | None:
    """What the file said at the last sync; a column that is younger than that stands at its default."""
    if row.shipped is None:
        return None
    return {column.name: column.get_default() for column in row._meta.concrete_fields} | row.shipped


def _attributes(kind: Kind, values: Values, keys: Keys) -> Values:
    found = {}
    for name, value in values.items():
        if name in kind.links:
            found[f"{name}_id"] = None if value is None else keys[kind.links[name]][value]
        else:
            found[name] = value
    return found


def _linked(kind: Kind, values: Values, keys: Keys) -> bool:
    """Whether the rows it belongs to are here. Where an editor removed them, they are listed and this is not."""
    return all(values[name] is None or values[name] in keys[model] for name, model in kind.links.items())


def _label(kind: Kind, values: Values) -> str:
    return " ".join(str(values[name]) for name in kind.key if values[name])


def _vanished(kind: Kind, rows: dict[str, tuple[Synced, Values]], report: KindReport) -> None:
    """Rows that came from a file which no longer has them. Part of a card goes with its line, if nobody edited it."""
    gone = []
    for row, here in rows.values():
        if row.shipped is None:
            continue
        untouched = all(same(here[name], value) for name, value in row.shipped.items() if name in here)
        if kind.owner and untouched:
            gone.append(row.pk)
        else:
            report.vanished.append(_label(kind, row.shipped))
    for start in range(0, len(gone), BATCH):
        part = kind.model._base_manager.filter(pk__in=gone[start : start + BATCH])
        part.update(shipped=None)  # dropped with its file, not removed by an editor
        part.delete()
    report.dropped = len(gone)
