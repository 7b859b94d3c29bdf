"""A board as it is published, in columns: read once after each change, and narrowed without reading it again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import compress
from operator import is_
from threading import Lock
from typing import NamedTuple

from django.db.models import Value
from django.db.models.functions import Coalesce

from catalog.bridge.chosen import Narrowing, keys_of, on_boards
from catalog.leaderboards.spots import Spots, column, spots_of
from catalog.models import Place
from catalog.models.row_times import places

MOST_KEPT = 16

Choice = tuple[int, bool, Narrowing | None]
"""The primary key of a release, whether those without a rank are asked for, and which models; None: all."""


@dataclass(frozen=True, slots=True, eq=False)
class Board:
    """Primary keys of places in their order, and what their chart is drawn from: without ranks nothing stands in it."""

    places: Sequence[int]
    spots: Spots

    def of(self, models: Collection[int]) -> Board:
        """The places of these models, of the whole board."""
        chosen = list(map(models.__contains__, self.spots.models))
        return Board(column("q", compress(self.places, chosen)), self.spots.where(chosen))


class _Known(NamedTuple):
    """A board, with what it follows from."""

    places: object
    models: tuple[object, ...]
    board: Board


_kept: dict[tuple[int, bool], _Known] = {}
_reading = Lock()


@lru_cache(maxsize=16)
def _whole(release: int, unranked: bool, version: str) -> Board:
    """Read again where places came or went, or a model has another slug or memory: a name is no part of it."""
    held, models = places(release), on_boards(version)
    with _reading:
        known = _kept.get((release, unranked))
        if known is None or known.places != held or not all(map(is_, known.models, models)):
            if len(_kept) >= MOST_KEPT:
                _kept.clear()
            known = _kept[release, unranked] = _Known(held, models, _read(release, unranked))
        return known.board


def _read(release: int, unranked: bool) -> Board:
    """By rank; or those without one, the nearest to it first."""
    rows = Place.objects.filter(release=release, model__is_published=True, rank__isnull=unranked)
    rows = rows.order_by("rank", "-num_benchmarks", "model__slug")
    memory = Value(0) if unranked else Coalesce("model__memory_8k_bytes", 0)
    found = rows.values_list("pk", "model_id", memory, Coalesce("rank", 0), Coalesce("index", 0.0))
    places, *drawn = zip(*found, strict=True) if found else ((), (), (), (), ())
    return Board(column("q", places), spots_of(*drawn))


@lru_cache(maxsize=8)
def _narrowed(release: int, unranked: bool, models: Narrowing, version: str) -> Board:
    return _whole(release, unranked, version).of(frozenset(keys_of(models, version)))


def board_at(choice: Choice, version: str) -> Board:
    """The places that are chosen."""
    release, unranked, models = choice
    return _whole(release, unranked, version) if models is None else _narrowed(release, unranked, models, version)
