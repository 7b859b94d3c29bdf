"""Files -> rows, keeping what editors changed.

- A field that nobody edited follows its file. An edited one stays and is reported; `theirs` takes the file's value.
- A row that an editor added stays. One that an editor deleted is not brought back, but listed; `theirs` restores it.
- A row whose file is gone stays and is listed; a source, score or alias goes with its line in the file, if nobody
  edited it.
- Ranks are computed afterwards, where what they come from has changed.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction

from catalog import standings
from catalog.models import DataChange, LanguageModel, derived
from catalog.models.locks import wait_for_bulk_writers
from catalog.models.statistics import renew_statistics
from catalog.source import SourceCatalogue
from catalog.sync.kinds import KINDS
from catalog.sync.report import KindReport, Report
from catalog.sync.rows import Keys, sync_kind

Progress = Callable[[str, int], None]  # the kind that is done, and how many records it had

__all__ = ["KindReport", "Report", "sync"]


def sync(
    catalogue: SourceCatalogue, *, theirs: bool = False, progress: Progress = lambda name, records: None
) -> Report:
    """Rows are written all or none: whatever stops a sync leaves them as they were.

    Ranks follow once the rows are committed, so that nobody who writes waits for their fits. That they are owed is
    committed with the rows: if this process is killed, the site computes them when it starts.
    """
    report = Report()
    keys: Keys = {}
    with transaction.atomic():
        wait_for_bulk_writers()
        for kind in KINDS:
            done = sync_kind(kind, list(kind.records(catalogue)), keys, theirs=theirs)
            report.kinds.append(done)
            progress(done.name, done.records)
        report.derived = derived.refresh(LanguageModel.objects.all())
        if report.changed:
            DataChange.record(forget=True)
        owed = [standings.take_on()] if report.changed else []
        progress("derived", len(catalogue.models))
    releases = [*standings.answer(*owed), *([] if owed else standings.refresh())]  # a new method ranks anew, too
    report.ranked = [release.scope for release in releases]
    if report.changed or report.ranked:
        renew_statistics()
    progress("ranks", 0)
    return report
