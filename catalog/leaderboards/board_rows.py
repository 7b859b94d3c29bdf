"""Rows of a board: places with models that are read once after each change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

from catalog.bridge.rows import models_for_table
from catalog.models import LanguageModel, Place


@dataclass(frozen=True, slots=True)
class BoardRow:
    """A place as a table shows it; `pk` is the place's."""

    model: LanguageModel
    pk: int
    rank: int | None
    low: int | None
    high: int | None
    index: float | None
    num_benchmarks: int
    num_categories: int
    num_independent: int | None
    missing: str


COLUMNS = ("model_id", *(field.name for field in fields(BoardRow)[1:]))


def board_rows(keys: Iterable[int]) -> list[BoardRow]:
    """From primary keys of places, in their order."""
    asked = list(keys)
    places = {pk: (model, pk, *place) for model, pk, *place in Place.objects.filter(pk__in=asked).values_list(*COLUMNS)}
    models = {model.pk: model for model in models_for_table(key for key, *_place in places.values())}
    read = [places[pk] for pk in asked if pk in places]
    return [BoardRow(models[key], *place) for key, *place in read if key in models]
