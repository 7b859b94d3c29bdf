"""What the models need under one workload."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calculator.architecture import Shape
from calculator.figures import gib
from calculator.labels import PARTS
from calculator.memory import Estimate
from calculator.workload_form import WorkloadForm
from catalog.bridge.shapes import max_context_tokens, shape_of
from catalog.comparison.forms import CompareForm
from catalog.comparison.table import ComparisonCell, ComparisonRow, Section
from catalog.models import LanguageModel


def memory(models: Sequence[LanguageModel], form: CompareForm) -> Section:
    """What each model needs under the form's workload."""
    answers: list[tuple[str, Estimate | None]] = []
    reasons: list[tuple[str, ...]] = []
    for model in models:
        weights, answer, why = _needs(model, shape_of(model), form)
        answers.append((weights, answer))
        reasons.append(tuple(why))
    totals = [answer.total_bytes for _weights, answer in answers if answer]
    least = min(totals) if len(totals) > 1 else None
    rows = [
        ComparisonRow(
            gettext_lazy("Quantisation (weight format)"), tuple(ComparisonCell(weights) for weights, _answer in answers)
        ),
        ComparisonRow(
            gettext_lazy("Memory needed (GiB)"),
            tuple(
                ComparisonCell(gib(answer.total_bytes), best=answer.total_bytes == least)
                if answer
                else ComparisonCell("")
                for _weights, answer in answers
            ),
        ),
    ]
    for key, label in PARTS.items():
        sizes = [_part(answer, key) for _weights, answer in answers]
        if any(sizes):
            rows.append(ComparisonRow(label, tuple(ComparisonCell(gib(size)) for size in sizes)))
    unanswered = tuple(reasons) if any(reasons) else ()
    return Section(gettext_lazy("Memory"), tuple(rows), gettext_lazy("no answer"), unanswered)


def _part(answer: Estimate | None, key: str) -> int | None:
    return sum(part.bytes for part in answer.parts if part.key == key) if answer else None


def _needs(model: LanguageModel, shape: Shape | None, form: CompareForm) -> tuple[str, Estimate | None, list[str]]:
    if shape is None:
        return "", None, [_("The publisher's config.json is not known, so the memory cannot be computed.")]
    workload = WorkloadForm(shape, form.answers, max_context_tokens=max_context_tokens(model, shape))
    if not workload.is_valid():
        return "", None, [str(error) for errors in workload.errors.values() for error in errors]
    return workload.workload.weight_format or "", workload.estimate, []
