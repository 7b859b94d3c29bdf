"""What a table of entries that have a slug would change."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.utils.translation import gettext as _
from pydantic import ValidationError

from catalog.admin.refusals import in_one_line
from catalog.admin.tables.changes import Change, Plan, Refusal
from catalog.admin.tables.formats import Entry, read
from catalog.models import Synced
from catalog.source.records import Record
from catalog.sync.export import record_of
from catalog.sync.kinds import KINDS, Kind
from catalog.sync.merge import same

KEY = ("slug",)  # what every entry names
Check = Callable[[Any], Iterable[str]]  # reasons why a record may not stand, beside its own


def _by_slug(rows: Iterable[Any]) -> dict[str, Any]:
    return {row.slug: row for row in rows}


class Planner:
    """Rows of one kind, and those that they may name."""

    def __init__(self, model: type[Synced], record: type[Record], check: Check) -> None:
        self.kind: Kind = next(kind for kind in KINDS if kind.model is model)
        self.record, self.check = record, check
        self.rows = _by_slug(model._base_manager.select_related(*self.kind.links))
        self.links = {name: _by_slug(linked._base_manager.all()) for name, linked in self.kind.links.items()}
        self.seen: dict[str, int] = {}
        self.made = Plan()

    def plan(self, text: str) -> Plan:
        """Raises UnreadableTableError for what is no table at all."""
        for entry in read(text, self.record, KEY):
            refused = entry if isinstance(entry, Refusal) else self._take(entry)
            if refused is not None:
                self.made.refused.append(refused)
        return self.made

    def _take(self, entry: Entry) -> Refusal | None:
        slug = str(entry.values.get("slug", ""))
        if slug in self.seen:
            told = _("The same entry as at %(place)s.") % {"place": self.seen[slug]}
            return Refusal(entry.place, told)
        self.seen[slug] = entry.place
        row = self.rows.get(slug)
        stands = record_of(self.record, row).model_dump() if row is not None else {}
        try:
            record = self.record.model_validate(stands | entry.values)
        except ValidationError as error:
            return Refusal(entry.place, in_one_line(error))
        reasons = [*self._missing(record), *self.check(record)]
        if reasons:
            return Refusal(entry.place, "; ".join(reasons))
        self._note(entry, row, record, stands)
        return None

    def _missing(self, record: Record) -> Iterable[str]:
        for name, known in self.links.items():
            if getattr(record, name) not in known:
                yield _("%(name)s: there is no “%(slug)s”.") % {"name": name, "slug": getattr(record, name)}

    def _note(self, entry: Entry, row: Any, record: Record, stands: dict[str, Any]) -> None:
        comes = record.model_dump()
        differences = [(name, old, comes[name]) for name, old in stands.items() if not same(old, comes[name])]
        if row is not None and not differences:
            self.made.unchanged += 1
            return
        target: Any = self.kind.model() if row is None else row
        for name in comes if row is None else (name for name, _old, _new in differences):
            setattr(target, name, self.links[name][comes[name]] if name in self.links else comes[name])
        self.made.changes.append(Change(entry.place, target, differences, target.slug, target.name))
