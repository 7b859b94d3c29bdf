"""What lists and pages ask of the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, TypeVar

from django.db import models
from django.utils import timezone

if TYPE_CHECKING:
    from catalog.models import LanguageModel, Release  # noqa: F401

Listed = TypeVar("Listed", bound=models.Model)

LONG_COLUMNS = ("config", "description", "description_en", "description_zh_hans", "shipped")
"""Of a model: what no list shows."""

TABLE_COLUMNS = (
    *("slug", "name", "organization__name", "licence__name", "licence__spdx", "licence__commercial_use"),
    *("total_parameters", "total_label", "active_parameters", "num_experts", "context_tokens", "architecture"),
    *("input_modalities", "release_date", "memory_8k_bytes", "memory_format", "memory_engine"),
)
"""Of a model: what a row of a table shows (`templates/catalog/_models.html`, `_leaderboard_table.html`)."""


NEWEST_FIRST = ("-release_date", models.F("total_parameters").asc(nulls_last=True), "slug")

UNTOLD = {"seal"}  # no page shows it


class LanguageModelQuerySet(models.QuerySet["LanguageModel"]):
    def update(self, **values: Any) -> int:
        """Rows tell when they were last written, as `save` has them do: by that others see that they were."""
        if not values.keys() <= UNTOLD:
            values.setdefault("updated_at", timezone.now())
        return super().update(**values)

    def published(self) -> Self:
        return self.filter(is_published=True)

    def names_of_drafts(self) -> frozenset[str]:
        """By which what was stored earlier may name a model that is not published now: slugs, and those of earlier
        days."""
        from catalog.models import Alias

        drafts = self.filter(is_published=False).order_by()
        aliases = Alias.objects.filter(model__is_published=False).order_by()
        return frozenset((*drafts.values_list("slug", flat=True), *aliases.values_list("name", flat=True)))

    def newest_first(self) -> Self:
        """Those of one day from the smallest to the largest, as a family is read."""
        return self.order_by(*NEWEST_FIRST)

    def for_list(self) -> Self:
        """Rows with what a list line shows, in one query; the long columns stay in the database."""
        return self.select_related("organization", "family", "licence").defer(*LONG_COLUMNS)

    def for_table(self, *more: str) -> Self:
        """Rows with what tables show, and `more` columns, in one query."""
        return self.select_related("organization", "licence").only(*TABLE_COLUMNS, *more)

    def for_page(self) -> Self:
        """One entry with all its page shows: four queries however many sources and scores it has."""
        return self.select_related("organization", "family", "licence").prefetch_related(
            "sources", "scores__benchmark", "aliases"
        )

    def named(self, slug: str) -> Self:
        """The entry with that slug, if there is one; any text may be asked for."""
        return self.none() if "\0" in slug else self.filter(slug=slug)

    def fitting(self, memory_bytes: int) -> Self:
        """Entries that need no more than that as their own pages show it at first; unknown ones are left out."""
        return self.filter(memory_8k_bytes__lte=memory_bytes)

    def by_rank(self, release: Release) -> Self:
        """The best of a board first; those without a rank there last, the newest first."""
        place = models.FilteredRelation("places", condition=models.Q(places__release=release))
        return self.annotate(place=place).order_by(
            models.F("place__rank").asc(nulls_last=True), models.F("release_date").desc(nulls_last=True), "slug"
        )


LanguageModelManager = models.Manager.from_queryset(LanguageModelQuerySet)


def with_numbers(rows: models.QuerySet[Listed]) -> models.QuerySet[Any]:
    """Organisations, or families, of which something is published: how many models, and when the newest came out.

    Asked for each from an index: a join would carry the whole row beside each of its models.
    """
    from catalog.models import LanguageModel

    owner = str(rows.model._meta.model_name)
    theirs = LanguageModel.objects.published().filter(**{owner: models.OuterRef("pk")}).order_by().values(owner)
    return with_published(rows).annotate(
        num_models=models.Subquery(theirs.annotate(held=models.Count("pk")).values("held")),
        newest=models.Subquery(theirs.annotate(last=models.Max("release_date")).values("last")),
    )


def with_published(rows: models.QuerySet[Listed]) -> models.QuerySet[Listed]:
    """Organisations, or families, of which something is published. No row is read twice, so none is thrown away."""
    from catalog.models import LanguageModel

    theirs = {str(rows.model._meta.model_name): models.OuterRef("pk")}
    return rows.filter(models.Exists(LanguageModel.objects.filter(is_published=True, **theirs)))
