"""A board as it is published, in columns: read once after each change, and narrowed without reading it again."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import compress
from typing import Any

from catalog.bridge.chosen import Question, answer
from catalog.models import Place

Choice = tuple[int, bool, Question | None]
"""The primary key of a release, whether those without a rank are asked for, and which models; None: all."""

KINDS = "qqqqd"  # of numbers, column by column


@dataclass(frozen=True, slots=True, eq=False)
class Board:
    """Places in their order, a column each: primary keys, those of the models, their bytes (0: not known), and of a
    board with ranks the ranks and indices."""

    places: Sequence[int]
    models: Sequence[int]
    memory_bytes: Sequence[int]
    ranks: Sequence[int]
    indices: Sequence[float]

    def of(self, models: Collection[int]) -> Board:
        """The places of these models."""
        return self.where(map(models.__contains__, self.models))

    def where(self, kept: Iterable[bool]) -> Board:
        """The places for which it is said to be so."""
        chosen = list(kept)
        return Board(*(array(kind, compress(column, chosen)) for kind, column in zip(KINDS, self.columns, strict=True)))

    @property
    def columns(self) -> tuple[Sequence[Any], ...]:
        return self.places, self.models, self.memory_bytes, self.ranks, self.indices


def _board(*columns: Iterable[float | None]) -> Board:
    """With numbers side by side: a board of 17,000 takes less than a megabyte."""
    numbers: list[Any] = [
        array(kind, (value or 0 for value in column)) for kind, column in zip(KINDS, columns, strict=True)
    ]
    return Board(*numbers)


NOBODY = Board((), (), (), (), ())


@lru_cache(maxsize=16)
def _whole(release: int, unranked: bool, version: str) -> Board:
    """By rank; or those without one, the nearest to it first."""
    rows = Place.objects.filter(release=release, model__is_published=True, rank__isnull=unranked)
    rows = rows.order_by("rank", "-num_benchmarks", "model__slug")
    columns = rows.values_list("pk", "model_id", "model__memory_8k_bytes", "rank", "index")
    return _board(*zip(*columns, strict=True)) if columns else NOBODY


@lru_cache(maxsize=8)
def _narrowed(release: int, unranked: bool, models: Question, version: str) -> Board:
    return _whole(release, unranked, version).of(frozenset(answer(models, version)))


def board_at(choice: Choice, version: str) -> Board:
    """The places that are chosen."""
    release, unranked, models = choice
    return _whole(release, unranked, version) if models is None else _narrowed(release, unranked, models, version)
