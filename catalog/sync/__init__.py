"""Files -> rows, keeping what editors changed.

- A field that nobody edited follows its file. An edited one stays and is reported; `theirs` takes the file's value.
- A row that an editor added stays. One that an editor deleted is not brought back, but listed; `theirs` restores it.
- A model whose slug changed goes on under the new one, edits and all, where the files name the old one as an alias.
- A row whose file is gone stays and is listed; a source, score or alias goes with its line in the file, if nobody
  edited it.
- Ranks are computed afterwards, where what they come from has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, transaction
from reversion.errors import RevertError
from reversion.models import Version

from catalog import history, standings
from catalog.models import Alias, DataChange, LanguageModel, Removal, Source, derived
from catalog.models.locks import wait_for_bulk_writers
from catalog.models.statistics import renew_statistics
from catalog.source import SourceCatalogue
from catalog.sync.kinds import KINDS, Kind
from catalog.sync.report import KindReport, Report
from catalog.sync.rows import Keys, sync_kind

Progress = Callable[[str, int], None]  # the kind that is done, and how many records it had

__all__ = ["KindReport", "Report", "bring_back", "sync"]


def sync(
    catalogue: SourceCatalogue,
    *,
    theirs: bool = False,
    ranks: bool = True,
    progress: Progress = lambda name, records: None,
) -> Report:
    """Rows are written all or none: whatever stops a sync leaves them as they were.

    Ranks follow once the rows are committed, so that nobody who writes waits for their fits. That they are owed is
    committed with the rows: if this process is killed, the site computes them when it starts. Without `ranks` another
    process computes them.
    """
    report = Report()
    keys: Keys = {}
    with transaction.atomic():
        wait_for_bulk_writers()
        renamed = _renamed(catalogue)
        for kind in KINDS:
            done = sync_kind(kind, list(kind.records(catalogue)), keys, theirs=theirs, renamed=renamed)
            report.kinds.append(done)
            progress(done.name, done.records)
        report.derived = derived.refresh(LanguageModel.objects.all())
        if report.changed:
            _record(report)
            DataChange.record(forget=True)
        owed = [standings.take_on()] if report.changed and ranks else []
        if report.changed and not ranks:
            standings.ask()
        progress("derived", len(catalogue.models))
    releases = standings.answer(*owed) if ranks else []
    if ranks and not owed:
        releases += standings.refresh()  # a new method ranks anew, too
    report.ranked = [release.scope for release in releases]
    if report.changed or report.ranked:
        renew_statistics()
    progress("ranks", 0)
    return report


def _renamed(catalogue: SourceCatalogue) -> dict[str, str]:
    """Models that the files now know by another slug, and name the old one as an alias."""
    slugs = dict(LanguageModel._base_manager.values_list("slug", "shipped__slug"))
    here = {shipped or slug for slug, shipped in slugs.items()}
    return {old: new for old, new in catalogue.aliases.items() if old in here and new not in here}


def bring_back(removals: Collection[Removal], files: Callable[[], SourceCatalogue]) -> int:
    """Shipped rows that were deleted here stand again, with all that went with them. Returns how many came back.

    As they were, edits and all, where the bin has them. Else as `files` have them, which are read only for that.
    """
    count, missing = 0, set()
    names = {removal.kind for removal in removals}
    with transaction.atomic():
        for kind in KINDS:  # what others link to comes first
            if kind.name not in names:
                continue
            kept = _bin(kind)
            for removal in removals:
                # One may have come back with another before it.
                if removal.kind == kind.name and Removal.objects.filter(pk=removal.pk).exists():
                    back, wholly = _from_the_bin(kept.get(removal.key))
                    count += back
                    if not wholly:
                        missing.add((removal.kind, removal.key))
        return count + (_from_files(files(), missing) if missing else 0)


def _bin(kind: Kind) -> dict[str, Version]:
    """What was deleted, by the identity that files know it by; of one that was deleted twice the newest."""
    kept: dict[str, Version] = {}
    for version in Version.objects.get_deleted(kind.model).select_related("revision"):
        try:
            shipped = version.field_dict["shipped"]
        except RevertError:  # of an older form of the table
            continue
        if shipped:
            kept.setdefault(kind.identity(shipped), version)
    return kept


def _from_the_bin(version: Version | None) -> tuple[int, bool]:
    """How many rows came back, and whether these are all that went: what no editor deleted was not kept as one."""
    if version is None:
        return 0, False
    try:
        history.bring_back(version)
    except (RevertError, IntegrityError):  # something else has its place, or what it belongs to is gone
        return 0, False
    return version.revision.version_set.count(), version.revision.comment == history.DELETED


def _from_files(catalogue: SourceCatalogue, missing: set[tuple[str, str]]) -> int:
    """Of these rows, named by kind and identity, and of all that belongs to them."""
    owners = {key for _kind, key in missing}
    for kind in KINDS:
        for values in kind.records(catalogue):
            identity = kind.identity(values)
            if (kind.name, identity) in missing or kind.identity_of_owner(values) in owners:
                Removal.objects.filter(kind=kind.name, key=identity).delete()
    report = sync(catalogue, ranks=False)
    return sum(kind.created for kind in report.kinds)


def _record(report: Report) -> None:
    """History goes on with what the files wrote. Sources and aliases are versions of their model's."""
    ContentType.objects.get_for_models(*(kind.model for kind in KINDS))  # at once, for all versions
    written = {kind.model: done.written for kind, done in zip(KINDS, report.kinds, strict=True)}
    parts = (Alias, Source)
    for part in parts:
        owners = part._base_manager.filter(pk__in=written[part]).values_list("model_id", flat=True)
        written[LanguageModel] |= set(owners)
    for kind, rows in written.items():
        if kind not in parts:
            history.record_from_files(kind, rows)
