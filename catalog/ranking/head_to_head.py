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

from catalog.ranking.table import Table, Vector

MIN_SHARED, SHARE_WON = 6, 0.8
"""Tests that two models must have in common, suites counted once, and the share of them that one must win."""
_SWEEPS, _STILL = 5000, 1e-9

Pair = tuple[int, int]


@threadpool_limits.wrap(limits=1)  # as in the fit: two threads on busy cores take ten times longer
def decided(table: Table, places: Sequence[int]) -> list[Pair]:
    """Winner and loser, as places in the table, of every pair among `places` that has a clear one.

    A suite is won by who is ahead in more of its items that both have.
    """
    shares = np.full((len(table.models), len(table.items)), np.nan)
    shares[table.model_of, table.item_of] = table.shares
    suites = sorted({cell.counted_with for cell in table.cells})
    suite_of = {cell.item: suites.index(cell.counted_with) for cell in table.cells}
    grouped = np.zeros((len(table.items), len(suites)))
    grouped[np.arange(len(table.items)), [suite_of[item] for item in table.items]] = 1
    found: list[Pair] = []
    for position, place in enumerate(places):
        others = np.array(places[position + 1 :], dtype=np.intp)
        ahead = shares[place] - shares[others]
        shared = (~np.isnan(ahead)).astype(np.float64) @ grouped > 0
        verdict = np.sign(np.nan_to_num(ahead)) @ grouped
        count = shared.sum(axis=1)
        won, lost = (verdict > 0).sum(axis=1), (verdict < 0).sum(axis=1)
        enough = count >= MIN_SHARED
        found += [(place, int(other)) for other in others[enough & (won >= SHARE_WON * count)]]
        found += [(int(other), place) for other in others[enough & (lost >= SHARE_WON * count)]]
    return found


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
