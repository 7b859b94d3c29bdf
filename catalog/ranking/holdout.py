"""How well the fit predicts scores that it has not seen: the error that the ranking page states."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from statistics import fmean, median

import numpy as np

from catalog.ranking.cells import ScoreCell
from catalog.ranking.fit import fit
from catalog.ranking.table import Table, table


@dataclass(frozen=True, slots=True)
class HoldOut:
    """Absolute errors of hidden scores in points of 100; `hidden` of them could be predicted."""

    hidden: int
    mean_error: float
    median_error: float


def hold_out(whole: Table, folds: int = 5, seed: int = 0) -> HoldOut:
    """Hides each of `folds` random parts of the cells in turn and predicts them from the rest.

    A hidden cell whose model or item is not in the rest cannot be predicted and is left out.
    """
    shuffled = list(whole.cells)
    Random(seed).shuffle(shuffled)  # noqa: S311 - a split, not a secret
    errors = [
        error
        for fold in range(folds)
        for error in _errors(
            table([cell for place, cell in enumerate(shuffled) if place % folds != fold], 1, 1), shuffled[fold::folds]
        )
    ]
    return HoldOut(len(errors), round(fmean(errors), 2), round(median(errors), 2))


def _errors(seen: Table, hidden: Iterable[ScoreCell]) -> list[float]:
    model_place = {model: place for place, model in enumerate(seen.models)}
    item_place = {item: place for place, item in enumerate(seen.items)}
    asked = [cell for cell in hidden if cell.model in model_place and cell.item in item_place]
    expected = fit(seen).expected(
        np.array([model_place[cell.model] for cell in asked], dtype=np.intp),
        np.array([item_place[cell.item] for cell in asked], dtype=np.intp),
        np.array([cell.own for cell in asked], dtype=np.float64),
    )
    return [100 * abs(float(guess) - cell.share) for guess, cell in zip(expected, asked, strict=True)]
