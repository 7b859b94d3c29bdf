"""What two models' common tests say of the two, beside what the fit says of each.

A fit places a model by all that it has; where two met on many of the same tests and one of them won nearly all, their
order is seen and need not be inferred. So abilities move, by the least sum of squares weighed by evidence, until nobody
stands above a model that beat it so: isotonic regression on a partial order, by Hildreth's method
(doi:10.1002/nav.3800040113).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from threadpoolctl import threadpool_limits

from catalog.ranking.rule import MIN_SHARED, SHARE_WON
from catalog.ranking.table import Table, Vector

MOST = 4000
_SWEEPS, _STILL, _ROUNDS, _DIGITS = 5000, 1e-9, 20, 6

Pair = tuple[int, int]


@threadpool_limits.wrap(limits=1)  # as in the fit: two threads on busy cores take ten times longer
def decided(table: Table, places: Sequence[int], ability: Vector | None = None) -> list[Pair]:
    """Winner and loser, as places in the table, of every pair among `places` that has a clear one.

    A suite is won by who is ahead in more of its items that both have. With `ability`, only the pairs whose loser
    stands above: of many models these are few.
    """
    shares = np.full((len(table.models), len(table.items)), np.nan)
    shares[table.model_of, table.item_of] = table.shares
    suites = sorted({cell.counted_with for cell in table.cells})
    suite_of = {cell.item: suites.index(cell.counted_with) for cell in table.cells}
    grouped = np.zeros((len(table.items), len(suites)))
    grouped[np.arange(len(table.items)), [suite_of[item] for item in table.items]] = 1
    everybody = np.array(places, dtype=np.intp)
    found: list[Pair] = []
    for place in places:
        others = everybody[everybody != place] if ability is None else everybody[ability[everybody] > ability[place]]
        ahead = shares[place] - shares[others]
        count = ((~np.isnan(ahead)).astype(np.float64) @ grouped > 0).sum(axis=1)
        won = (np.sign(np.nan_to_num(ahead)) @ grouped > 0).sum(axis=1)
        found += [(place, int(other)) for other in others[(count >= MIN_SHARED) & (won >= SHARE_WON * count)]]
    return found


def in_order(table: Table, places: Sequence[int], ability: Vector) -> Vector:
    """The abilities nearest to `ability` in which no loser of a clear pair stands above its winner; of more places than
    `MOST` those of the fit, as every two would have to be looked at."""
    if len(places) > MOST:
        return ability
    evidence = np.bincount(table.model_of, table.weights).astype(np.float64)
    pairs: dict[Pair, None] = {}
    now = ability
    for _ in range(_ROUNDS):
        upside_down = [pair for pair in decided(table, places, np.round(now, _DIGITS)) if pair not in pairs]
        if not upside_down:
            break
        pairs |= dict.fromkeys(upside_down)
        now = respecting(ability, list(pairs), evidence)
    return now


def respecting(ability: Vector, pairs: Sequence[Pair], evidence: Vector) -> Vector:
    """The abilities nearest to `ability` in which no loser of a pair stands above its winner. A ring comes level.

    `evidence` is the weight of each model's own scores: who has little moves most.
    """
    now = ability.copy()
    pushed = dict.fromkeys(pairs, 0.0)
    for _ in range(_SWEEPS):
        largest = 0.0
        for pair in pairs:
            winner, loser = pair
            push = max(-pushed[pair], (now[loser] - now[winner]) / (1 / evidence[winner] + 1 / evidence[loser]))
            if push:
                pushed[pair] += push
                now[winner] += push / evidence[winner]
                now[loser] -= push / evidence[loser]
                largest = max(largest, abs(push))
        if largest < _STILL:
            break
    return now
