"""How far a rank could move: a Bayesian bootstrap over benchmarks (Rubin 1981, doi:10.1214/aos/1176345338).

Each draw gives every benchmark a weight from Exp(1), as if another set of benchmarks had been chosen, moves every score
whose sampling error is known by that error, as if other questions had been asked, and fits again from the solution. The
draws of a benchmark depend on the seed and its name alone, so neither the order nor the other inputs change them.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor
from random import Random

import numpy as np
from numpy.typing import NDArray

from catalog.ranking.fit import Fit, fit
from catalog.ranking.table import Table, Vector

COARSE_TOLERANCE = 1e-8
MOST_NOISE = 2**22
"""Numbers that are drawn at a time, 32 MB: of 20,000 models all would be five times as many."""
_ABILITY_DIGITS = 6
"""Abilities closer than this are equal: it is far above the rounding of another machine's arithmetic."""


def drawn_abilities(table: Table, solution: Fit, *, draws: int, seed: int) -> NDArray[np.float64]:
    """Abilities of every model of the table in each draw, shape (draws, models)."""
    weight = np.array([_exponential(f"{seed}/{item.benchmark}", draws) for item in table.items])
    moved = np.array([place for place, cell in enumerate(table.cells) if cell.error], dtype=np.intp)
    drawn = np.empty((draws, len(table.models)))

    def draw_from(first: int, number: int) -> None:
        for draw, noise in enumerate(_noise(table, moved, first, number, seed), start=first):
            shares = table.shares.copy()
            shares[moved] += noise
            drawn[draw] = fit(
                table,
                shares=np.clip(shares, 0.0, 1.0),
                weights=table.weights * weight[table.item_of, draw],
                start=solution,
                tolerance=COARSE_TOLERANCE,
            ).ability

    at_once = max(2, MOST_NOISE // max(1, len(moved)) // 2 * 2)
    for first in range(0, draws, at_once):
        draw_from(first, min(at_once, draws - first))
    return drawn


def _noise(table: Table, moved: NDArray[np.intp], first: int, draws: int, seed: int) -> NDArray[np.float64]:
    """Of the cells at `moved`, in `draws` from the `first` one on, shape (draws, cells)."""
    noise = np.empty((draws, len(moved)))
    for column, place in enumerate(moved):
        cell = table.cells[place]
        noise[:, column] = _normal(f"{seed}/{cell.model}/{cell.item}", first, draws, cell.error)
    return noise


def ranks(ability: Vector) -> NDArray[np.intp]:
    """1 + the number of strictly better models along the last axis; equal abilities share a rank."""
    rounded = np.round(ability, _ABILITY_DIGITS)
    ordered = np.sort(rounded, axis=-1)
    if rounded.ndim == 1:
        return len(rounded) - np.searchsorted(ordered, rounded, side="right") + 1
    return np.array([ranks(row) for row in rounded])


def interval(drawn: Sequence[int], rank: int, coverage: float = 0.9) -> tuple[int, int]:
    """The central `coverage` of the drawn ranks, as whole ranks, widened to hold the published one."""
    ordered = sorted(drawn)
    last = len(ordered) - 1
    tail = (1 - coverage) / 2
    return min(rank, ordered[floor(tail * last)]), max(rank, ordered[ceil((1 - tail) * last)])


def tiers(intervals: Sequence[tuple[int, int]]) -> list[int]:
    """Tier of each model, for intervals in order of rank.

    A tier holds its first model and those that follow as long as their ranges overlap with that model's: within a tier
    the data do not say for sure who is better than the first.
    """
    tier, reach, found = 0, 0, []
    for low, high in intervals:
        if tier == 0 or low > reach:
            tier, reach = tier + 1, high
        found.append(tier)
    return found


def _exponential(name: str, draws: int) -> list[float]:
    random = Random(name)  # noqa: S311 - statistics, not secrets
    return [random.expovariate(1.0) for _ in range(draws)]


def _normal(name: str, first: int, draws: int, deviation: float) -> list[float]:
    """From the `first` draw on, an even number: the two before it come of two random numbers, 64 bits each, and so do
    all pairs."""
    random = Random(name)  # noqa: S311
    random.getrandbits(64 * first)
    return [random.gauss(0.0, deviation) for _ in range(draws)]
