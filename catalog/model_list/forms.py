"""What a reader may ask of the models list, checked."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from django import forms
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from catalog import search
from catalog.bridge.chosen import Narrowing, keys_of
from catalog.bridge.my_hardware import MyHardware
from catalog.model_list.filters import ModelFilterForm, order
from catalog.models import DataChange, LanguageModel, Organization, Release
from catalog.models.querysets import with_published
from catalog.models.vocabulary import Architecture, Modality
from catalog.ranking.scope import OVERALL
from catalog.standings import BOARDS

# Name in the URL -> column. A minus in front turns the order round.
SORTS: Mapping[str, str] = {
    "released": "release_date",
    "name": "name",
    "parameters": "total_parameters",
    "active": "active_parameters",
    "context": "context_tokens",
    "memory": "memory_8k_bytes",
}
DEFAULT_SORT = "-released"
RANK = "rank:"
"""In front of a board's key: ordered by its ranks, the best first, models without a rank last."""


def by_rank(boards: Iterable[str]) -> list[tuple[str, str]]:
    """Orders by the ranks of these boards, to choose from."""
    ranked = set(boards)
    return [
        (f"{RANK}{key}", _("Best first: %(board)s") % {"board": label})
        for key, label in BOARDS.items()
        if key in ranked
    ]


@lru_cache(maxsize=4)
def _organizations(language: str, version: str) -> list[tuple[str, str]]:
    """Those that published something, by name: read once after each change."""
    rows = with_published(Organization.objects.only("slug", "name"))
    return sorted(((row.slug, row.name) for row in rows), key=lambda choice: choice[1].casefold())


@lru_cache(maxsize=32)
def _whole_list(sort: str, by_rank: Release | None, version: str) -> Sequence[int]:
    """Primary keys of all models in an order, read once after each change: a database sorts them for each page."""
    models = LanguageModel.objects.published()
    models = models.by_rank(by_rank) if by_rank else models.order_by(*order(sort or DEFAULT_SORT, SORTS))
    return array("q", models.values_list("pk", flat=True))


def _those(keys: Iterable[int], among: Iterable[int]) -> Sequence[int]:
    """Of `keys`, in their order."""
    return list(filter(frozenset(among).__contains__, keys))


class ModelListForm(ModelFilterForm):
    """Search, filters and order of the models list."""

    q = forms.CharField(label=gettext_lazy("Search"), required=False, max_length=100)
    organization = forms.ChoiceField(label=gettext_lazy("Organisation"), required=False)
    architecture = forms.ChoiceField(label=gettext_lazy("Architecture"), required=False)
    modality = forms.ChoiceField(label=gettext_lazy("Input"), required=False)
    sort = forms.ChoiceField(label=gettext_lazy("Order"), required=False)

    def __init__(self, query: Mapping[str, Any], mine: MyHardware, boards: Iterable[str] = ()) -> None:
        """`boards` are those that have ranks to order by."""
        super().__init__(query, mine)
        anything = [("", _("Any"))]
        self.choose("organization", anything + _organizations(get_language() or "en", DataChange.version()))
        self.choose("architecture", anything + Architecture.choices)
        self.choose("modality", anything + [choice for choice in Modality.choices if choice[0] != Modality.TEXT])
        self.choose(
            "sort",
            [
                ("", _("Best match, then newest")),
                ("-released", _("Newest first")),
                ("released", _("Oldest first")),
                ("name", _("Name, A to Z")),
                ("-name", _("Name, Z to A")),
                ("-parameters", _("Most parameters")),
                ("parameters", _("Fewest parameters")),
                ("-active", _("Most active parameters")),
                ("active", _("Fewest active parameters")),
                ("-context", _("Longest context")),
                ("context", _("Shortest context")),
                ("memory", _("Least memory")),
                ("-memory", _("Most memory")),
                *by_rank(boards),
            ],
        )

    def selects(self) -> list[forms.BoundField]:
        return [self[name] for name in ("organization", "architecture", "modality", "licence", "sort")]

    def ticks(self) -> list[forms.BoundField]:
        return [self["fits"]]

    def numbers(self) -> list[forms.BoundField]:
        return [self[name] for name in ("min_parameters", "max_parameters", "context", "memory")]

    def keys(self, release: Release | None = None) -> Sequence[int]:
        """Primary keys of the published models that answer the form, in its order; none while the form has errors.

        `release` is that of `board`, for the order of its ranks.
        """
        if not self.is_valid():
            return ()
        text, sort = self.cleaned_data["q"], self.cleaned_data["sort"]
        if not text and not self.num_active:
            return self._whole(sort, release)
        found = search.keys("model", text) if text else ()
        if text and not sort and not self.num_active:
            return found
        chosen = keys_of(self.narrowing, DataChange.version())
        if text and not sort:
            return _those(found, chosen)
        if text:
            chosen = _those(chosen, found)
        return chosen if sort in ("", DEFAULT_SORT) else _those(self._whole(sort, release), chosen)

    @property
    def narrowing(self) -> Narrowing:
        """All of the form but its search."""
        answers = self.cleaned_data
        return super().narrowing._replace(
            organization=answers.get("organization") or "",
            architecture=answers.get("architecture") or "",
            modality=answers.get("modality") or "",
        )

    def _whole(self, sort: str, release: Release | None) -> Sequence[int]:
        return _whole_list(sort, release if sort.startswith(RANK) else None, DataChange.version())

    @property
    def board(self) -> str:
        """The board whose ranks the list shows, and that it may be ordered by."""
        sort = str(self.cleaned_data.get("sort") or "") if self.is_valid() else ""
        return sort.removeprefix(RANK) if sort.startswith(RANK) else OVERALL.key
