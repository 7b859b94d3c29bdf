"""What a model's entry still lacks: a column and a filter of the list that editors work from."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import add
from typing import Any

from django.contrib import admin
from django.db.models import Case, Exists, F, IntegerField, OuterRef, Q, QuerySet, Value, When
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.admin.versioned import VersionedAdmin
from catalog.models import LanguageModel, Score, Source
from catalog.models.vocabulary import SourceKind

LABELS: Mapping[str, Promise] = {
    "en": gettext_lazy("English text"),
    "zh_hans": gettext_lazy("Chinese text"),
    "sources": gettext_lazy("checked source"),
    "scores": gettext_lazy("scores"),
    "config": gettext_lazy("readable config.json"),
    "origin": gettext_lazy("source of config.json"),
}
COMPLETE = "nothing"


def _written(language: str) -> Q:
    """Both texts that a page shows."""
    return (
        ~Q(**{f"summary_{language}": ""})
        & ~Q(**{f"description_{language}": ""})
        & Q(**{f"summary_{language}__isnull": False, f"description_{language}__isnull": False})
    )


OF_CONFIG = Source.objects.filter(model=OuterRef("pk"), facts__icontains='"config"')
PRESENT: Mapping[str, Any] = {
    "en": _written("en"),
    "zh_hans": _written("zh_hans"),
    "sources": Exists(Source.objects.filter(model=OuterRef("pk"), checked=True)),
    "scores": Exists(Score.objects.filter(model=OuterRef("pk"))),
    "config": Q(config__isnull=False, config_unread=False),
    "origin": Q(config__isnull=True) | Exists(OF_CONFIG),
}


def with_gaps(rows: QuerySet[LanguageModel]) -> QuerySet[LanguageModel]:
    """Each row with `lacks_<part>` (0 or 1) for every part, and `lacks`, how many."""
    gaps = {
        f"lacks_{part}": Case(When(there, then=Value(0)), default=Value(1), output_field=IntegerField())
        for part, there in PRESENT.items()
    }
    return rows.annotate(**gaps).annotate(lacks=reduce(add, map(F, gaps)))


class Lacking(admin.SimpleListFilter):
    title = gettext_lazy("what is missing")
    parameter_name = "lacks"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*LABELS.items(), (COMPLETE, gettext_lazy("nothing is missing"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        part = self.value()
        if part == COMPLETE:
            return queryset.filter(lacks=0)
        return queryset.filter(**{f"lacks_{part}": 1}) if part in LABELS else queryset


class ConfigOrigin(admin.SimpleListFilter):
    """Where a config.json is from, by the kind of its sources."""

    title = gettext_lazy("source of config.json")
    parameter_name = "origin"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(SourceKind.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(Exists(OF_CONFIG.filter(kind=self.value()))) if self.value() else queryset


class ShowsGaps(VersionedAdmin):
    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return with_gaps(super().get_queryset(request))

    @admin.display(description=gettext_lazy("missing"), ordering="lacks")
    def missing(self, row: Any) -> str:
        return _(", ").join(str(label) for part, label in LABELS.items() if getattr(row, f"lacks_{part}")) or "—"
