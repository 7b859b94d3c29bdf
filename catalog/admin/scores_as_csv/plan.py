"""What a table of scores would change: all of it is known before anything is written."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from catalog.admin.scores_as_csv.table import Line, read
from catalog.admin.tables.changes import Change, Plan, Refusal
from catalog.models import Alias, Benchmark, LanguageModel, Score
from catalog.source.records import ScoreRecord

KEY = ("variant", "mode", "settings", "date", "source")  # beside the model and the benchmark
CHANGEABLE = ("value", "basis", "via", "source_kind", "name_in_source", "duplicate")


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
        new = Score(model=model, benchmark=benchmark, **key, **values)
        made.changes.append(Change(line.number, new, [], f"{model} · {benchmark}", new.value))
        return
    row.model, row.benchmark = model, benchmark
    given = line.record.model_fields_set & set(CHANGEABLE)  # a column that the table lacks stays as it is
    stands = {name: getattr(row, name) for name in CHANGEABLE if name in given}
    comes = {name: getattr(line.record, name) for name in stands}
    differences = [(name, old, comes[name]) for name, old in stands.items() if old != comes[name]]
    if not differences:
        made.unchanged += 1
        return
    for name, _old, new_value in differences:
        setattr(row, name, new_value)
    made.changes.append(Change(line.number, row, differences, f"{model} · {benchmark}", row.value))
