"""What a table of scores would change: all of it is known before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from catalog.admin.scores_as_csv.table import Line, Refusal, read
from catalog.models import Alias, Benchmark, LanguageModel, Score
from catalog.source.records import ScoreRecord

KEY = ("variant", "mode", "settings", "date", "source")  # beside the model and the benchmark
CHANGEABLE = ("value", "basis", "via", "source_kind", "name_in_source", "duplicate")


class Change(NamedTuple):
    """`before` is None for a score that is new, else what it holds now; `score` is not saved yet."""

    line: int
    score: Score
    before: dict[str, Any] | None

    @property
    def differences(self) -> list[tuple[str, Any, Any]]:
        """Columns with the value that stands and the one that comes."""
        return [(name, old, getattr(self.score, name)) for name, old in (self.before or {}).items()]


@dataclass(slots=True)
class Plan:
    changes: list[Change] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    unchanged: int = 0

    @property
    def added(self) -> list[Change]:
        return [change for change in self.changes if change.before is None]

    @property
    def changed(self) -> list[Change]:
        return [change for change in self.changes if change.before is not None]

    def save(self) -> None:
        """All or nothing."""
        if self.refused:
            raise ValueError("a table with refused rows is not saved")
        with transaction.atomic():
            for change in self.changes:
                change.score.save()


def plan(text: str) -> Plan:
    """Raises UnreadableTableError for what is no table at all."""
    models = {row.slug: row for row in LanguageModel.objects.only("slug", "name")}
    models |= {alias.name: alias.model for alias in Alias.objects.select_related("model")}
    benchmarks = {row.slug: row for row in Benchmark.objects.all()}
    made = Plan()
    seen: dict[tuple[Any, ...], int] = {}
    for line in read(text):
        if isinstance(line, Refusal):
            made.refused.append(line)
            continue
        model, benchmark = models.get(line.record.model), benchmarks.get(line.record.benchmark)
        reason = _refusal(line.record, model, benchmark)
        if reason or model is None or benchmark is None:
            made.refused.append(Refusal(line.number, reason))
            continue
        key = (model.pk, benchmark.pk, *(getattr(line.record, name) for name in KEY))
        if key in seen:
            made.refused.append(Refusal(line.number, _("The same result as in line %(line)s.") % {"line": seen[key]}))
            continue
        seen[key] = line.number
        _add(made, line, model, benchmark)
    return made


def _refusal(record: ScoreRecord, model: LanguageModel | None, benchmark: Benchmark | None) -> str:
    if model is None:
        return _("model: “%(name)s” is not in the catalogue.") % {"name": record.model}
    if benchmark is None:
        return _("benchmark: “%(name)s” is not in the catalogue.") % {"name": record.benchmark}
    if record.value < 0 or (benchmark.scale_max is not None and record.value > benchmark.scale_max):
        most = "∞" if benchmark.scale_max is None else f"{benchmark.scale_max:g}"
        told = _("value: %(value)s is outside the scale of %(benchmark)s, 0 to %(most)s.")
        return told % {"value": f"{record.value:g}", "benchmark": benchmark, "most": most}
    return ""


def _add(made: Plan, line: Line, model: LanguageModel, benchmark: Benchmark) -> None:
    key = {name: getattr(line.record, name) for name in KEY}
    row = Score.objects.filter(model=model, benchmark=benchmark, **key).first()
    if row is None:
        values = {name: getattr(line.record, name) for name in CHANGEABLE}
        made.changes.append(Change(line.number, Score(model=model, benchmark=benchmark, **key, **values), None))
        return
    row.model, row.benchmark = model, benchmark
    given = line.record.model_fields_set & set(CHANGEABLE)  # a column that the table lacks stays as it is
    before = {name: getattr(row, name) for name in CHANGEABLE if name in given}
    differing = {name: old for name, old in before.items() if old != getattr(line.record, name)}
    if not differing:
        made.unchanged += 1
        return
    for name in differing:
        setattr(row, name, getattr(line.record, name))
    made.changes.append(Change(line.number, row, differing))
