"""One ability per model from the scores it has: an item-response fit by robust least squares.

Each benchmark variant i has a difficulty D and a slope a, each model m an ability C, and a model is expected to reach
the share p = 1 / (1 + exp(-a_i (C_m - D_i))) of an item's scale. The fit minimises

    sum rho(w ((p - y) / 0.08)^2) + sum rho(0.3 C^2) + sum rho(0.075 D^2) + sum rho(4 (ln a)^2),  rho(s) = 2 (sqrt(1 + s) - 1)

over the scores that exist; a missing one has no term, so nothing is filled in. The form is that of the Epoch Capabilities
Index (https://epoch.ai/data/eci-documentation/methodology, github.com/epoch-research/benchmark-stitching, fit.py) with
Huber-like loss. It is solved by damped Newton steps: a model meets items only, so the abilities' block of the normal
equations is diagonal and is eliminated, which leaves a dense system of two unknowns per item.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from catalog.ranking.scores import Item

Vector = NDArray[np.float64]
Index = NDArray[np.intp]

NOISE = 0.08
"""Expected misfit of one score, as a share of the scale: where the loss turns from square to linear."""
ABILITY_PRIOR, DIFFICULTY_PRIOR, SLOPE_PRIOR = 0.3, 0.075, 4.0
MIN_ITEMS_PER_MODEL, MIN_MODELS_PER_ITEM = 4, 8
_STEPS = 200


@dataclass(frozen=True, order=True, slots=True)
class Cell:
    """A model's result on an item: `share` of the scale in 0..1 and its sampling error, 0 where unknown."""

    model: str
    item: Item
    share: float
    error: float = 0.0


@dataclass(frozen=True)
class Table:
    """Cells in a fixed order (by model, then item), so that the order of the input cannot show in a result."""

    cells: tuple[Cell, ...]

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
        return np.array([cell.share for cell in self.cells])

    @cached_property
    def weights(self) -> Vector:
        """1 / (items of the same benchmark that the model has): a benchmark of many variants counts once."""
        count = Counter((cell.model, cell.item.benchmark) for cell in self.cells)
        return np.array([1 / count[cell.model, cell.item.benchmark] for cell in self.cells])


@dataclass(frozen=True, slots=True)
class Fit:
    """Abilities by model and difficulties and log slopes by item, in the table's order."""

    ability: Vector
    difficulty: Vector
    log_slope: Vector

    def expected(self, model_of: Index, item_of: Index) -> Vector:
        """The share of the scale that the models are expected to reach on the items."""
        return _logistic(np.exp(self.log_slope[item_of]) * (self.ability[model_of] - self.difficulty[item_of]))


def table(
    cells: Sequence[Cell], min_items: int = MIN_ITEMS_PER_MODEL, min_models: int = MIN_MODELS_PER_ITEM
) -> Table:
    """The cells of models with at least `min_items` items and of items with at least `min_models` models."""
    kept = sorted(cells)
    while True:
        per_model = Counter(cell.model for cell in kept)
        per_item = Counter(cell.item for cell in kept)
        left = [cell for cell in kept if per_model[cell.model] >= min_items and per_item[cell.item] >= min_models]
        if len(left) == len(kept):
            return Table(tuple(kept))
        kept = left


def fit(
    table: Table,
    *,
    shares: Vector | None = None,
    weights: Vector | None = None,
    start: Fit | None = None,
    tolerance: float = 1e-10,
) -> Fit:
    """The best fit to the table's scores, or to other `shares` and `weights` in their places, from a `start`."""
    problem = _Problem(table, table.shares if shares is None else shares, table.weights if weights is None else weights)
    now = start or problem.start()
    cost = problem.cost(now)
    damping = 1e-4
    for _ in range(_STEPS):
        change, promised = problem.step(now, damping)
        if promised <= tolerance * (1 + cost):
            break
        trial = Fit(now.ability + change.ability, now.difficulty + change.difficulty, now.log_slope + change.log_slope)
        trial_cost = problem.cost(trial)
        if trial_cost < cost:
            now, cost, damping = trial, trial_cost, max(damping / 5, 1e-9)
        else:
            damping *= 10
    return now


@dataclass(frozen=True)
class _Problem:
    table: Table
    shares: Vector
    weights: Vector

    def start(self) -> Fit:
        count = len(self.table.models), len(self.table.items)
        clipped = np.clip(self.shares, 0.02, 0.98)
        logit = np.log(clipped / (1 - clipped))
        seen = np.bincount(self.table.item_of, minlength=count[1])
        difficulty = -np.bincount(self.table.item_of, logit, count[1]) / np.maximum(seen, 1)
        met = np.bincount(self.table.model_of, minlength=count[0])
        gain = np.bincount(self.table.model_of, logit + difficulty[self.table.item_of], count[0])
        return Fit(gain / np.maximum(met, 1), difficulty, np.zeros(count[1]))

    def _misfit(self, at: Fit) -> tuple[Vector, Vector]:
        expected = at.expected(self.table.model_of, self.table.item_of)
        return expected, np.sqrt(self.weights) * (expected - self.shares) / NOISE

    def cost(self, at: Fit) -> float:
        _, misfit = self._misfit(at)
        squares = (
            misfit**2, ABILITY_PRIOR * at.ability**2, DIFFICULTY_PRIOR * at.difficulty**2, SLOPE_PRIOR * at.log_slope**2
        )
        return float(sum(np.sum(np.sqrt(1 + square) - 1) for square in squares))

    def step(self, at: Fit, damping: float) -> tuple[Fit, float]:
        """A damped Newton step and the fall of the cost that its quadratic model promises."""
        model_of, item_of = self.table.model_of, self.table.item_of
        num_models, num_items = len(at.ability), len(at.difficulty)
        expected, misfit = self._misfit(at)
        slope = np.exp(at.log_slope)[item_of]
        steep = np.sqrt(self.weights) / NOISE * expected * (1 - expected)
        by_ability = steep * slope  # by difficulty it is the negative
        by_slope = by_ability * (at.ability[model_of] - at.difficulty[item_of])
        pull = misfit / np.sqrt(1 + misfit**2)
        curve = (1 + misfit**2) ** -1.5  # second derivative of the loss: positive, so every step descends

        prior_pull, prior_curve = _prior(at.ability, ABILITY_PRIOR)
        ability_gradient = np.bincount(model_of, pull * by_ability, num_models) + prior_pull
        ability_curve = (np.bincount(model_of, curve * by_ability**2, num_models) + prior_curve) * (1 + damping)

        prior_pull, prior_curve = _prior(at.difficulty, DIFFICULTY_PRIOR)
        slope_pull, slope_curve = _prior(at.log_slope, SLOPE_PRIOR)
        item_gradient = np.concatenate((
            prior_pull - np.bincount(item_of, pull * by_ability, num_items),
            slope_pull + np.bincount(item_of, pull * by_slope, num_items),
        ))
        difficulty_curve = np.bincount(item_of, curve * by_ability**2, num_items) + prior_curve
        own_slope_curve = np.bincount(item_of, curve * by_slope**2, num_items) + slope_curve
        crossed = -np.bincount(item_of, curve * by_ability * by_slope, num_items)
        item_curve = np.diag(np.concatenate((difficulty_curve, own_slope_curve)) * (1 + damping))
        item_curve[np.arange(num_items), num_items + np.arange(num_items)] = crossed
        item_curve[num_items + np.arange(num_items), np.arange(num_items)] = crossed

        mixed = np.zeros((num_models, 2 * num_items))
        mixed[model_of, item_of] = -curve * by_ability**2
        mixed[model_of, num_items + item_of] = curve * by_ability * by_slope

        reduced = mixed / ability_curve[:, None]
        items = np.linalg.solve(item_curve - mixed.T @ reduced, reduced.T @ ability_gradient - item_gradient)
        abilities = -(ability_gradient + mixed @ items) / ability_curve
        promised = -0.5 * (ability_gradient @ abilities + item_gradient @ items)
        return Fit(abilities, items[:num_items], items[num_items:]), float(promised)


def _prior(value: Vector, strength: float) -> tuple[Vector, Vector]:
    """First and second derivative of sqrt(1 + strength value^2)."""
    inside = 1 + strength * value**2
    return strength * value / np.sqrt(inside), strength * inside**-1.5


def _logistic(value: Vector) -> Vector:
    return np.asarray(0.5 * (1 + np.tanh(value / 2)))
