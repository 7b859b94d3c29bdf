"""What a table of scores would change: all of it is known before anything is written."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from pydantic import ValidationError

from catalog.admin.refusals import in_one_line
from catalog.admin.tables.changes import Change, Plan, Refusal
from catalog.admin.tables.formats import Entry, read
from catalog.models import Alias, Benchmark, LanguageModel, Score
from catalog.source.records import ScoreRecord

KEY = ("variant", "mode", "settings", "date", "source")  # beside the model and the benchmark
REQUIRED = tuple(name for name, field in ScoreRecord.model_fields.items() if field.is_required())
CHANGEABLE = ("value", "basis", "via", "source_kind", "name_in_source", "duplicate")


def plan(text: str) -> Plan:
    """Raises UnreadableTableError for what is no table at all."""
    models = {row.slug: row for row in LanguageModel.objects.only("slug", "name")}
    models |= {alias.name: alias.model for alias in Alias.objects.select_related("model")}
    benchmarks = {row.slug: row for row in Benchmark.objects.all()}
    made = Plan()
    seen: dict[tuple[Any, ...], int] = {}
    for entry in read(text, ScoreRecord, REQUIRED):
        found = entry if isinstance(entry, Refusal) else _record(entry)
        if isinstance(found, Refusal):
            made.refused.append(found)
            continue
        model, benchmark = models.get(found.model), benchmarks.get(found.benchmark)
        reason = _refusal(found, model, benchmark)
        if reason or model is None or benchmark is None:
            made.refused.append(Refusal(entry.place, reason))
            continue
        key = (model.pk, benchmark.pk, *(getattr(found, name) for name in KEY))
        if key in seen:
            told = _("The same result as at %(place)s.") % {"place": seen[key]}
            made.refused.append(Refusal(entry.place, told))
            continue
        seen[key] = entry.place
        _add(made, entry.place, found, model, benchmark)
    return made


def _record(entry: Entry) -> ScoreRecord | Refusal:
    try:
        return ScoreRecord.model_validate(entry.values)
    except ValidationError as error:
        return Refusal(entry.place, in_one_line(error))


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


def _add(made: Plan, place: int, record: ScoreRecord, model: LanguageModel, benchmark: Benchmark) -> None:
    key = {name: getattr(record, name) for name in KEY}
    row = Score.objects.filter(model=model, benchmark=benchmark, **key).first()
    if row is None:
        values = {name: getattr(record, name) for name in CHANGEABLE}
        new = Score(model=model, benchmark=benchmark, **key, **values)
        made.changes.append(Change(place, new, [], f"{model} · {benchmark}", new.value))
        return
    row.model, row.benchmark = model, benchmark
    given = record.model_fields_set & set(CHANGEABLE)  # a column that the table lacks stays as it is
    stands = {name: getattr(row, name) for name in CHANGEABLE if name in given}
    comes = {name: getattr(record, name) for name in stands}
    differences = [(name, old, comes[name]) for name, old in stands.items() if old != comes[name]]
    if not differences:
        made.unchanged += 1
        return
    for name, _old, new_value in differences:
        setattr(row, name, new_value)
    made.changes.append(Change(place, row, differences, f"{model} · {benchmark}", row.value))
