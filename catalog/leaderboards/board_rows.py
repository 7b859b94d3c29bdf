"""Rows of a board: places with models that are read once after each change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from catalog.bridge.rows import models_for_table
from catalog.models import LanguageModel


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


def board_rows(places: Iterable[tuple[Any, ...]]) -> list[BoardRow]:
    """From `COLUMNS` of places, in their order."""
    read = list(places)
    models = {model.pk: model for model in models_for_table(key for key, *_place in read)}
    return [BoardRow(models[key], *place) for key, *place in read if key in models]
