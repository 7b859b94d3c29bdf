"""Who was measured on what: the cells of a fit in a fixed order, without those too thin to say anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from catalog.ranking.cells import ScoreCell
from catalog.ranking.rule import MIN_ITEMS_PER_MODEL, MIN_MODELS_PER_ITEM
from catalog.ranking.scores import Item

Vector = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(frozen=True)
class Table:
    """Cells sorted by model, then item, so that the order of the input cannot show in a result."""

    cells: tuple[ScoreCell, ...]

    @cached_property
    def models(self) -> tuple[str, ...]:
        return tuple(sorted({cell.model for cell in self.cells}))

    @cached_property
    def items(self) -> tuple[Item, ...]:
        return tuple(sorted({cell.item for cell in self.cells}))

    @cached_property
    def model_of(self) -> Index:
        place = {model: index for index, model in enumerate(self.models)}
        return np.array([place[cell.model] for cell in self.cells], dtype=np.intp)

    @cached_property
    def item_of(self) -> Index:
        place = {item: index for index, item in enumerate(self.items)}
        return np.array([place[cell.item] for cell in self.cells], dtype=np.intp)

    @cached_property
    def shares(self) -> Vector:
        return np.array([cell.share for cell in self.cells], dtype=np.float64)

    @cached_property
    def own(self) -> Vector:
        """1 for the publisher's own figures, else 0."""
        return np.array([cell.own for cell in self.cells], dtype=np.float64)

    @cached_property
    def weights(self) -> Vector:
        """1 / (items of the same suite that the model has): a benchmark of many variants, or a suite of many tasks,
        counts once."""
        found = np.empty(len(self.cells))
        start = 0
        for _model, cells in groupby(self.cells, key=attrgetter("model")):
            suites = [cell.counted_with for cell in cells]
            count = Counter(suites)
            found[start : start + len(suites)] = [1 / count[suite] for suite in suites]
            start += len(suites)
        return found


def table(
    cells: Sequence[ScoreCell], min_items: int = MIN_ITEMS_PER_MODEL, min_models: int = MIN_MODELS_PER_ITEM
) -> Table:
    """The cells of models with at least `min_items` items and of items with at least `min_models` models.

    Of these the largest connected part: models that no chain of shared items links have no common scale.
    """
    kept = sorted(cells, key=lambda cell: (cell.model, cell.item.benchmark, cell.item.variant))
    while True:
        per_model = Counter(cell.model for cell in kept)
        per_item = Counter(cell.item for cell in kept)
        left = [cell for cell in kept if per_model[cell.model] >= min_items and per_item[cell.item] >= min_models]
        if len(left) == len(kept):
            return Table(_largest_connected(kept))
        kept = left


def _largest_connected(cells: Sequence[ScoreCell]) -> tuple[ScoreCell, ...]:
    """The cells of the part with most cells; of equals, the one that holds the first cell."""
    number: dict[str | Item, int] = {}
    links = [(number.setdefault(cell.model, len(number)), number.setdefault(cell.item, len(number))) for cell in cells]
    leader = list(range(len(number)))

    def lead(node: int) -> int:
        while leader[node] != node:
            leader[node] = leader[leader[node]]
            node = leader[node]
        return node

    for model, item in links:
        leader[lead(model)] = lead(item)
    sizes = Counter(lead(item) for _model, item in links)
    largest = max(sizes, key=sizes.__getitem__, default=None)
    return tuple(cell for cell, (_model, item) in zip(cells, links, strict=True) if lead(item) == largest)
