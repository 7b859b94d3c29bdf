"""What was found, by kind, each with a line that tells it from its like."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, ngettext

from calculator.figures import billions, gib
from catalog.models import Accelerator, Benchmark, Family, LanguageModel, Organization
from catalog.models.querysets import with_numbers
from catalog.search import Answer, Entry, Key, Kind

LABELS: Mapping[Kind, Promise] = {
    "family": gettext_lazy("Families"),
    "model": gettext_lazy("Models"),
    "organization": gettext_lazy("Organisations"),
    "accelerator": gettext_lazy("Accelerators"),
    "benchmark": gettext_lazy("Benchmarks"),
}
LISTS: Mapping[Kind, str] = {"model": "catalog:model_list", "accelerator": "catalog:accelerator_list"}
"""Where all that was found of a kind can be filtered and sorted."""


@dataclass(frozen=True, slots=True)
class Line:
    name: str
    url: str
    detail: str


@dataclass(frozen=True, slots=True)
class Group:
    """`total` is the number found, of which `lines` shows the first; `more` is where the others are, if anywhere."""

    kind: Kind
    label: Promise
    lines: Sequence[Line]
    total: int
    more: str


def groups(answer: Answer, text: str, of_each: int) -> list[Group]:
    """The kinds in the order of their best finds; one query for each kind that is shown."""
    return [_group(kind, entries, text, of_each, answer.complete) for kind, entries in answer.by_kind().items()]


def _group(kind: Kind, entries: Sequence[Entry], text: str, of_each: int, complete: bool) -> Group:
    total, listed = len(entries), complete and kind in LISTS
    more = f"{reverse(LISTS[kind])}?{urlencode({'q': text})}" if listed and total > of_each else ""
    return Group(kind, LABELS[kind], lines(entries[:of_each]), total, more)


def lines(entries: Sequence[Entry]) -> list[Line]:
    """In their order, with one query for each of their kinds; without those that are gone meanwhile."""
    told: dict[Key, Line] = {}
    for kind in dict.fromkeys(entry.kind for entry in entries):
        rows, detail = ROWS[kind]
        keys = [entry.pk for entry in entries if entry.kind == kind]
        for row in rows().filter(pk__in=keys).order_by():
            told[kind, row.pk] = Line(str(row), row.get_absolute_url(), " · ".join(filter(None, detail(row))))
    return [told[entry.kind, entry.pk] for entry in entries if (entry.kind, entry.pk) in told]


def _models(number: int) -> str:
    return ngettext("%(number)s model", "%(number)s models", number) % {"number": number}


def _of_model(row: LanguageModel) -> Sequence[str]:
    size = billions(row.total_parameters) or row.total_label
    memory = (f"{gib(row.memory_8k_bytes)} GiB", row.memory_basis) if row.memory_8k_bytes else ()
    return row.organization.name, size, *memory


ROWS: Mapping[Kind, tuple[Callable[[], QuerySet[Any]], Callable[[Any], Sequence[str]]]] = {
    "family": (
        lambda: with_numbers(Family.objects.select_related("organization")),
        lambda row: (row.organization.name, _models(row.num_models)),
    ),
    "model": (lambda: LanguageModel.objects.published().for_table(), _of_model),
    "organization": (lambda: with_numbers(Organization.objects.all()), lambda row: (_models(row.num_models),)),
    "accelerator": (
        lambda: Accelerator.objects.all(),
        lambda row: (row.get_vendor_display(), f"{row.memory_gb} GB"),
    ),
    "benchmark": (lambda: Benchmark.objects.all(), lambda row: (row.get_category_display(),)),
}
