"""What a reader may ask of the list of accelerators, and of what runs on one of them."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calculator import labels
from calculator.memory import DEFAULT_ENGINE, ENGINES
from calculator.memory.engines import MAX_CONTEXT_TOKENS
from catalog import search
from catalog.accelerators.runs import largest_that_fits_first
from catalog.bridge.one_row import Values
from catalog.model_list.filters import FilterForm, order
from catalog.model_list.forms import RANK, by_rank
from catalog.models import Accelerator, DataChange, LanguageModel, Release
from catalog.models.vocabulary import Segment, Vendor
from catalog.search import BestFirst

# Name in the URL -> column. A minus in front turns the order round.
SORTS: Mapping[str, str] = {
    "memory": "memory_gb",
    "bandwidth": "bandwidth_gb_per_s",
    "fp16": "fp16_tflops",
    "power": "tdp_w",
    "price": "launch_price_usd",
    "year": "release_year",
}
DEFAULT_SORT = "-memory"
RUN_SORTS: Mapping[str, str] = {"released": "release_date", "name": "name", "parameters": "total_parameters"}
MOST_GB = 10**6


class AcceleratorListForm(FilterForm):
    """Filters and order; with an error, nothing is filtered."""

    q = forms.CharField(label=gettext_lazy("Search"), required=False, max_length=100)
    vendor = forms.ChoiceField(label=gettext_lazy("Vendor"), required=False)
    segment = forms.ChoiceField(label=gettext_lazy("Made for"), required=False)
    feature = forms.ChoiceField(label=gettext_lazy("Feature"), required=False)
    min_memory = forms.IntegerField(
        label=gettext_lazy("Minimum VRAM (GB)"), required=False, min_value=0, max_value=MOST_GB
    )
    max_memory = forms.IntegerField(
        label=gettext_lazy("Maximum VRAM (GB)"), required=False, min_value=0, max_value=MOST_GB
    )
    sort = forms.ChoiceField(label=gettext_lazy("Order"), required=False)

    def __init__(self, query: Mapping[str, Any]) -> None:
        super().__init__(query)
        anything = [("", _("Any"))]
        self.choose("vendor", anything + Vendor.choices)
        self.choose("segment", anything + Segment.choices)
        self.choose(
            "feature",
            [
                *anything,
                ("fp8", _("FP8 compute")),
                ("fp4", _("FP4 compute")),
                ("unified", _("unified memory")),
                ("obtainable", _("can be bought")),
            ],
        )
        self.choose(
            "sort",
            [
                ("", _("Best match, then most memory")),
                ("-memory", _("Most memory")),
                ("memory", _("Least memory")),
                ("-bandwidth", _("Highest bandwidth")),
                ("-fp16", _("Highest FP16 rate")),
                ("power", _("Least power")),
                ("price", _("Lowest launch price")),
                ("-year", _("Newest first")),
            ],
        )

    def clean(self) -> dict[str, Any]:
        self.check_range("min_memory", "max_memory")
        return self.cleaned_data

    def rows(self) -> QuerySet[Accelerator] | BestFirst[Accelerator]:
        answers = self.cleaned_data if self.is_valid() else {}
        found = Accelerator.objects.all()
        wanted = {
            "vendor": answers.get("vendor"),
            "segment": answers.get("segment"),
            "memory_gb__gte": answers.get("min_memory"),
            "memory_gb__lte": answers.get("max_memory"),
        }
        found = found.filter(**{name: value for name, value in wanted.items() if value not in (None, "")})
        features = {
            "fp8": "supports_fp8",
            "fp4": "supports_fp4",
            "unified": "unified_memory",
            "obtainable": "obtainable",
        }
        if feature := features.get(answers.get("feature", "")):
            found = found.filter(**{feature: True})
        text, sort = answers.get("q", ""), answers.get("sort", "")
        if text and not sort:
            return BestFirst(found, "accelerator", text, narrowed=self.num_active > 0)
        return search.found(found, "accelerator", text).order_by(*order(sort or DEFAULT_SORT, SORTS))


class RunsForm(FilterForm):
    """What runs on a card: how many of it, under which engine, at which context."""

    cards = forms.IntegerField(label=gettext_lazy("Number of cards"), required=False, min_value=1)
    engine = forms.ChoiceField(label=gettext_lazy("Engine"), required=False)
    context = forms.IntegerField(
        label=gettext_lazy("Context length"), required=False, min_value=1, max_value=MAX_CONTEXT_TOKENS
    )
    sort = forms.ChoiceField(label=gettext_lazy("Order"), required=False)
    q = forms.CharField(label=gettext_lazy("Search"), required=False, max_length=100)

    def __init__(
        self,
        query: Mapping[str, Any],
        max_cards: int,
        boards: Iterable[str] = (),
        context_tokens: int = 8192,
        engine: str = DEFAULT_ENGINE,
    ) -> None:
        """`boards` are those that have ranks to order by, `context_tokens` and `engine` stand for what is not asked."""
        given = {name: value for name, value in query.items() if value != ""}
        super().__init__({"cards": "1", "engine": engine, "context": str(context_tokens), **given})
        cards = self.own("cards")
        cards.validators = [*cards.validators, MaxValueValidator(max_cards)]
        cards.widget.attrs = {**cards.widget.attrs, "max": max_cards}
        for field in map(self.own, ("sort", "q")):
            field.widget.attrs = {**field.widget.attrs, "form": "question"}
        self.choose("engine", [(name, labels.engine_name(name)) for name in ENGINES])
        self.choose(
            "sort",
            [
                ("", _("What fits, most VRAM first")),
                ("-released", _("Newest first")),
                ("name", _("Name")),
                ("-parameters", _("Most parameters")),
                ("parameters", _("Fewest parameters")),
                *by_rank(boards),
            ],
        )

    def table_fields(self) -> list[forms.BoundField]:
        """What concerns the table alone; it stands there, and is sent with the form above."""
        return [self[name] for name in ("sort", "q")]

    @property
    def sort_board(self) -> str:
        """The board that the table is ordered by, if it is."""
        sort = str(self.cleaned_data.get("sort") or "")
        return sort.removeprefix(RANK) if sort.startswith(RANK) else ""

    def keys(self, usable_bytes: int, release: Release | None = None) -> Sequence[int]:
        """Primary keys of the published models that answer a valid form; `usable_bytes` are those of all cards.

        `release` is that of the board by whose ranks the form orders them. Their order does not depend on the context.
        """
        asked = self.cleaned_data
        by_rank = release if self.sort_board else None
        return _keys(asked["q"], asked["sort"], asked["engine"], usable_bytes, by_rank, DataChange.version())


LARGEST = Values(
    lambda usable_bytes, engine: largest_that_fits_first(LanguageModel.objects.published(), usable_bytes, engine), "pk"
)


@lru_cache(maxsize=32)
def _keys(text: str, sort: str, engine: str, usable_bytes: int, release: Release | None, version: str) -> Sequence[int]:
    if not text and (not sort or sort.startswith(RANK)) and not release:
        return array("q", [key for (key,) in LARGEST.of(usable_bytes, engine=engine)])
    found = search.found(LanguageModel.objects.published(), "model", text)
    if release:
        ordered = found.by_rank(release)
    elif sort and not sort.startswith(RANK):
        ordered = found.order_by(*order(sort, RUN_SORTS))
    else:
        ordered = largest_that_fits_first(found, usable_bytes, engine)
    # Past the models' own manager, which looks for translations in each row.
    plain: QuerySet[LanguageModel] = QuerySet(LanguageModel, ordered.query)
    return array("q", plain.values_list("pk", flat=True))
