"""One ability per model from the scores it has: an item-response fit by robust least squares.

Each benchmark variant i has a difficulty D and a slope a, each model m an ability C, and a model is expected to reach
the share p = 1 / (1 + exp(-a_i (C_m + b v - D_i))) of an item's scale, where v is 1 for a figure of the model's own
publisher and b, one number for all, is how much better publishers do with their models than others. With
rho(s) = 2 (sqrt(1 + s) - 1) the fit minimises

    sum rho(w ((p - y) / 0.08)^2) + sum rho(0.3 C^2) + sum rho(0.075 D^2) + sum rho(4 (ln a)^2) + rho(4 b^2)

over the scores y that exist; a missing one has no term, so nothing is filled in. It is the form of the Epoch
Capabilities Index (https://epoch.ai/data/eci-documentation/methodology, github.com/epoch-research/benchmark-stitching,
fit.py) with a loss that grows linearly, so that one odd score cannot carry a model.

`scipy.optimize.least_squares` states the same problem and the tests check against it. It is not used here because it
does not know that a model meets items only: that makes the abilities' block of the normal equations diagonal, and a
hundred refits of the bootstrap take seconds after it is eliminated. One thread solves it: these matrices are too small
to share (two threads were forty times slower on busy cores), and sums must not depend on the number of cores.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from threadpoolctl import threadpool_limits

from catalog.ranking.rule import ABILITY_PRIOR, DIFFICULTY_PRIOR, NOISE, OFFSET_PRIOR, SLOPE_PRIOR
from catalog.ranking.table import Index, Table, Vector

_STEPS = 4000
_VALLEY = 150
"""Steps after which the way is a long, bent valley, met with thousands of models of one score each and few benchmarks.
Boards that tell their models apart take fewer than a hundred, and go their way as if this were not here."""
_AT_ONCE = 4096  # models whose part of the normal equations is held
_FAR, _NEAR = 10.0, 1.0  # damping of a first step that begins far from the solution, or from one to nearly the same


@dataclass(frozen=True, slots=True)
class Fit:
    """Abilities by model, difficulties and log slopes by item, in the table's order.

    `offset` is by how much publishers' own figures exceed others', in the unit of ability.
    """

    ability: Vector
    difficulty: Vector
    log_slope: Vector
    offset: float = 0.0

    def towards(self, other: Fit, reach: float) -> Fit:
        """So many times the way from here to there."""
        pairs = ((getattr(self, field.name), getattr(other, field.name)) for field in fields(self))
        return Fit(*(here + reach * (there - here) for here, there in pairs))

    def expected(self, model_of: Index, item_of: Index, own: Vector | float = 0.0) -> Vector:
        """The share of the scale that the models are expected to reach on the items; `own` is 1 for their publisher."""
        return np.asarray(0.5 * (1 + np.tanh(self.margin(model_of, item_of, own) / 2)))

    def margin(self, model_of: Index, item_of: Index, own: Vector | float) -> Vector:
        above = self.ability[model_of] + self.offset * own - self.difficulty[item_of]
        return np.asarray(np.exp(self.log_slope[item_of]) * above)


@threadpool_limits.wrap(limits=1)
def fit(
    table: Table,
    *,
    shares: Vector | None = None,
    weights: Vector | None = None,
    start: Fit | None = None,
    tolerance: float = 1e-14,
) -> Fit:
    """The best fit to the table's scores, or to other `shares` and `weights` in their places, from a `start`.

    It ends when a step promises to lower the cost by less than `tolerance` of it. Raises ValueError for an empty table
    and ArithmeticError where no end is reached.
    """
    if not table.cells:
        raise ValueError("there are no scores to fit")
    problem = _Problem(table, table.shares if shares is None else shares, table.weights if weights is None else weights)
    now = start or problem.start()
    cost = problem.cost(now)
    damping = _FAR if start is None else _NEAR
    for number in range(_STEPS):
        step = problem.step(now, damping)
        if step is not None:
            trial, promised = step
            if promised <= tolerance * (1 + cost):
                return now
            trial_cost = problem.cost(trial)
            if trial_cost < cost:
                if number >= _VALLEY:
                    trial, trial_cost = problem.farther(now, trial, trial_cost)
                now, cost, damping = trial, trial_cost, damping / 3
                continue
        damping *= 4
    raise ArithmeticError(f"no solution after {_STEPS} steps, cost {cost}")


@dataclass(frozen=True)
class _Problem:
    table: Table
    shares: Vector
    weights: Vector

    def start(self) -> Fit:
        """Difficulties from the items' mean logits, abilities from the models' mean distance to them, equal slopes."""
        model_of, item_of = self.table.model_of, self.table.item_of
        clipped = np.clip(self.shares, 0.02, 0.98)
        logit = np.log(clipped / (1 - clipped))
        difficulty = -np.bincount(item_of, logit) / np.bincount(item_of)
        ability = np.bincount(model_of, logit + difficulty[item_of]) / np.bincount(model_of)
        return Fit(ability, difficulty, np.zeros_like(difficulty))

    def cost(self, at: Fit) -> float:
        """Half of the sum in the module's head."""
        _, misfit = self._misfit(at)
        priors = (
            ABILITY_PRIOR * at.ability**2,
            DIFFICULTY_PRIOR * at.difficulty**2,
            SLOPE_PRIOR * at.log_slope**2,
            OFFSET_PRIOR * np.array([at.offset]) ** 2,
        )
        return float(sum(np.sum(np.sqrt(1 + square) - 1) for square in (misfit**2, *priors)))

    def farther(self, start: Fit, end: Fit, cost: float) -> tuple[Fit, float]:
        """On from `start` through `end`, whose cost is given, twice as far each time, for as long as the cost falls."""
        while (farther := self.cost(there := start.towards(end, 2.0))) < cost:
            end, cost = there, farther
        return end, cost

    def _misfit(self, at: Fit) -> tuple[Vector, Vector]:
        expected = at.expected(self.table.model_of, self.table.item_of, self.table.own)
        return expected, np.sqrt(self.weights) * (expected - self.shares) / NOISE

    def step(self, at: Fit, damping: float) -> tuple[Fit, float] | None:
        """Where a Newton step leads, and the fall of the cost that its quadratic model promises.

        The unknowns of an item are a D and ln a: one that hardly tells models apart has a slope near 0 and a difficulty
        far off, and only their product is told by its scores. The exact second derivatives need not be positive
        definite far from the solution; `damping` adds so many times the Gauss-Newton ones, which are. None where it
        adds too little.
        """
        model_of, item_of, own = self.table.model_of, self.table.item_of, self.table.own
        num_models, num_items = len(at.ability), len(at.difficulty)
        slopes = np.exp(at.log_slope)
        slope = slopes[item_of]
        reach = slope * (at.ability[model_of] + at.offset * own)
        # a cell's cost depends on its unknowns through `reach` less a D alone: first and second derivative by that
        expected, misfit = self._misfit(at)
        steep = np.sqrt(self.weights) / NOISE * expected * (1 - expected)
        first = misfit / np.sqrt(1 + misfit**2) * steep
        second = (1 + misfit**2) ** -1.5 * steep**2 + first * (1 - 2 * expected)
        sure = damping * (1 + misfit**2) ** -0.5 * steep**2

        def per_model(value: Vector) -> Vector:
            return np.asarray(np.bincount(model_of, value, num_models), dtype=np.float64)

        def per_item(value: Vector) -> Vector:
            return np.asarray(np.bincount(item_of, value, num_items), dtype=np.float64)

        ability_pull, ability_prior = _prior(at.ability, ABILITY_PRIOR)
        difficulty_pull, difficulty_prior = _prior(at.difficulty, DIFFICULTY_PRIOR)
        slope_pull, slope_prior = _prior(at.log_slope, SLOPE_PRIOR)
        offset_pull, offset_prior = _prior(np.array([at.offset]), OFFSET_PRIOR)
        ability_gradient = per_model(first * slope) + ability_pull
        # what is not eliminated: a D, ln a, and the offset, an ability that all publishers' figures share
        item_gradient = np.concatenate(
            (
                difficulty_pull / slopes - per_item(first),
                slope_pull - at.difficulty * difficulty_pull + per_item(first * reach),
                offset_pull + np.sum(first * slope * own),
            )
        )

        by_ability_twice = second * slope**2
        by_ability_and_slope = (second * reach + first) * slope
        by_slope_twice = second * reach**2 + first * reach
        steepness = by_ability_twice + sure * slope**2
        ability_curve = per_model(steepness) + (1 + damping) * ability_prior
        if ability_curve.min() <= 0:
            return None
        product_curve = per_item(second + sure) + (1 + damping) * difficulty_prior / slopes**2
        slope_curve = per_item(by_slope_twice + sure * reach**2) + (1 + damping) * slope_prior
        slope_curve += (1 + damping) * difficulty_prior * at.difficulty**2 + at.difficulty * difficulty_pull
        offset_curve = np.sum(steepness * own) + (1 + damping) * offset_prior
        item_curve = np.diag(np.concatenate((product_curve, slope_curve, offset_curve)))
        places, offset_place = np.arange(num_items), 2 * num_items
        within = -per_item(second * reach) - (difficulty_pull + difficulty_prior * at.difficulty) / slopes
        item_curve[places, num_items + places] = item_curve[num_items + places, places] = within
        with_offset = np.concatenate((-per_item(second * slope * own), per_item(by_ability_and_slope * own)))
        item_curve[offset_place, :offset_place] = item_curve[:offset_place, offset_place] = with_offset
        scale = np.sqrt(ability_curve)
        product_mixed, slope_mixed = -second * slope / scale[model_of], by_ability_and_slope / scale[model_of]
        offset_mixed = per_model(by_ability_twice * own) / scale
        starts = range(0, num_models, _AT_ONCE)

        def mixed(start: int) -> Vector:
            """Of some models, which the cells name in order: of 20,000 all would be 40 MB."""
            stop = min(start + _AT_ONCE, num_models)
            cells = slice(*np.searchsorted(model_of, (start, stop)))
            found = np.zeros((stop - start, 2 * num_items + 1))
            found[model_of[cells] - start, item_of[cells]] = product_mixed[cells]
            found[model_of[cells] - start, num_items + item_of[cells]] = slope_mixed[cells]
            found[:, offset_place] = offset_mixed[start:stop]
            return found

        pull = -item_gradient
        for start in starts:
            some = mixed(start)
            item_curve -= some.T @ some  # of an array and itself half is worked out
            pull += some.T @ (ability_gradient / scale)[start : start + _AT_ONCE]
        try:
            root = np.linalg.cholesky(item_curve)
        except np.linalg.LinAlgError:
            return None
        items = np.linalg.solve(root.T, np.linalg.solve(root, pull))
        abilities = -(ability_gradient / scale + np.concatenate([mixed(start) @ items for start in starts])) / scale
        promised = -0.5 * float(ability_gradient @ abilities + item_gradient @ items)
        # far from the solution a step may be thrown far off: no unknown moves by more than 1
        moves = np.clip(np.concatenate((abilities, items)), -1.0, 1.0)
        ability, product, log_slope, offset = np.split(moves, np.cumsum((num_models, num_items, num_items)))
        slope_there = at.log_slope + log_slope
        difficulty = (slopes * at.difficulty + product) / np.exp(slope_there)
        return Fit(at.ability + ability, difficulty, slope_there, at.offset + float(offset[0])), promised


def _prior(value: Vector, strength: float) -> tuple[Vector, Vector]:
    """First and second derivative of sqrt(1 + strength value^2)."""
    inside = 1 + strength * value**2
    return strength * value / np.sqrt(inside), strength * inside**-1.5
