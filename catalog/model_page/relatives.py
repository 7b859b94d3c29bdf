"""Models near a model, from dates, sizes and ranks alone: what came before and after it, and what else is as large.

Nobody states which model follows which, so none is called a successor: a page says by what they were chosen.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from catalog.models import LanguageModel
from catalog.ranking.scope import OVERALL
from catalog.standings import current

ALIKE = 0.25  # of the parameters, up or down: 27B is beside 24B and 32B
SIMILAR = 5


@dataclass(frozen=True, slots=True)
class Relatives:
    """`earlier` and `later`: by the same organisation, of the same kind and size, the nearest in time."""

    earlier: LanguageModel | None
    later: LanguageModel | None
    similar: list[LanguageModel]

    def __bool__(self) -> bool:
        return bool(self.earlier or self.later or self.similar)


def relatives(model: LanguageModel) -> Relatives:
    """Four queries at most; none for a model without a size."""
    if not model.total_parameters:
        return Relatives(None, None, [])
    alike = _alike(model)
    own = alike.filter(organization=model.organization_id).exclude(release_date="")
    earlier = later = None
    if model.release_date:
        earlier = own.filter(release_date__lt=model.release_date).order_by("-release_date", "slug").first()
        later = own.filter(release_date__gt=model.release_date).order_by("release_date", "slug").first()
    return Relatives(earlier, later, _similar(model, alike))


def _alike(model: LanguageModel) -> QuerySet[LanguageModel]:
    """Of the same variant and about the same size; a mixture of experts is not beside a dense model."""
    size = model.total_parameters or 0
    return (
        LanguageModel.objects.published()
        .exclude(pk=model.pk)
        .filter(
            variant=model.variant,
            num_experts__isnull=model.num_experts is None,
            total_parameters__range=(round(size * (1 - ALIKE)), round(size * (1 + ALIKE))),
        )
        .for_list()
    )


def _similar(model: LanguageModel, alike: QuerySet[LanguageModel]) -> list[LanguageModel]:
    """By others: those with the best overall rank first, then the newest."""
    releases = list(current(OVERALL.key).values_list("pk", flat=True))
    others = alike.exclude(organization=model.organization_id)
    ranked = others.filter(places__release__in=releases, places__rank__isnull=False)
    best: list[LanguageModel] = list(ranked.order_by("places__rank", "slug")[:SIMILAR])
    rest = others.exclude(pk__in=[each.pk for each in best]).order_by("-release_date", "slug")
    return [*best, *rest[: SIMILAR - len(best)]]
