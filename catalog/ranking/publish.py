"""From scores to a release: choose records, fit, bootstrap, place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter

import numpy as np

from catalog.ranking import head_to_head, intervals
from catalog.ranking.cells import ScoreCell, cells, preferences
from catalog.ranking.fit import Fit, fit
from catalog.ranking.release import METHOD, Input, Missing, Ranked, Release, Unranked, input_hash
from catalog.ranking.scope import Scope
from catalog.ranking.scores import Benchmark, Candidate, Item, Scores
from catalog.ranking.table import Table, Vector, table

SEED, DRAWS = 20260101, 100

Coverage = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Problem:
    """The scores that count in a scope, chosen but not yet fitted. `input_hash` tells whether a fit is needed."""

    scope: Scope
    benchmarks: Mapping[str, Benchmark]
    candidates: tuple[Candidate, ...]
    inputs: tuple[Input, ...]
    table: Table
    seed: int
    draws: int
    input_hash: str


def prepare(
    scope: Scope,
    scores: Scores,
    benchmarks: Iterable[Benchmark],
    candidates: Iterable[Candidate],
    *,
    seed: int = SEED,
    draws: int = DRAWS,
) -> Problem:
    """Raises KeyError for a score of an unknown benchmark, ValueError for one outside its scale."""
    by_slug = {benchmark.slug: benchmark for benchmark in benchmarks}
    pool = tuple(sorted(candidates, key=lambda candidate: candidate.slug))
    read: list[ScoreCell] = []
    inputs: list[Input] = []
    for chosen in preferences(scores, by_slug, pool, scope):
        of_benchmark = cells(chosen, by_slug)
        read += of_benchmark
        inputs += (
            Input(cell.model, cell.item, record.score.key, record.score.value, cell.error)
            for cell, record in zip(of_benchmark, chosen.values(), strict=True)
        )
    inputs.sort(key=_place)
    return Problem(
        scope,
        by_slug,
        pool,
        tuple(inputs),
        table(read, min_items=scope.min_items),
        seed,
        draws,
        input_hash(scope, inputs, by_slug.values(), pool, seed, draws),
    )


def _place(read: Input) -> tuple[str, str, str]:
    return read.model, read.item.benchmark, read.item.variant


def publish(problem: Problem, date: str) -> Release:
    """The release of a problem on an ISO date."""
    found = problem.table
    coverage = _coverage(problem)
    listed = [candidate for candidate in problem.candidates if candidate.listed]
    fitted = frozenset(found.models)
    missing = {candidate.slug: _missing(problem, candidate, coverage[candidate.slug], fitted) for candidate in listed}
    placeable = [model for model, reason in missing.items() if reason is None]
    basket = _basket(problem)
    return Release(
        scope=problem.scope,
        method=METHOD,
        date=date,
        seed=problem.seed,
        draws=problem.draws,
        input_hash=problem.input_hash,
        fitted=len(found.models),
        anchors=sum(model not in missing for model in found.models),
        basket=basket,
        inputs=problem.inputs,
        ranked=_places(problem, placeable, coverage, basket) if placeable else (),
        unranked=tuple(
            Unranked(model, reason, len(coverage[model]), len(_categories(problem, coverage[model])))
            for model, reason in missing.items()
            if reason
        ),
    )


def _coverage(problem: Problem) -> Coverage:
    """The distinct benchmarks that each candidate has among the items that the fit knows, in order."""
    known = set(problem.table.items)
    held: dict[str, tuple[str, ...]] = {candidate.slug: () for candidate in problem.candidates}
    for model, inputs in groupby(problem.inputs, key=attrgetter("model")):
        held[model] = tuple(sorted({read.item.benchmark for read in inputs if read.item in known}))
    return held


def _categories(problem: Problem, benchmarks: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({problem.benchmarks[slug].category for slug in benchmarks}))


def _missing(problem: Problem, candidate: Candidate, held: Iterable[str], fitted: frozenset[str]) -> Missing | None:
    """Why the candidate, which has these benchmarks, gets no place; None where it gets one."""
    if not candidate.chat:
        return Missing.BASE_MODEL
    if len({problem.benchmarks[slug].counted_with for slug in held}) < problem.scope.min_benchmarks:
        return Missing.BENCHMARKS
    if len(_categories(problem, held)) < problem.scope.min_categories:
        return Missing.CATEGORIES
    return None if candidate.slug in fitted else Missing.UNCONNECTED


def _basket(problem: Problem) -> tuple[Item, ...]:
    """The items that the index averages over: the primary variant of each benchmark, or all where none is fitted."""
    items = problem.table.items
    primary = tuple(item for item in items if item.variant == problem.benchmarks[item.benchmark].primary_variant)
    return primary or items


def _places(problem: Problem, placeable: list[str], coverage: Coverage, basket: tuple[Item, ...]) -> tuple[Ranked, ...]:
    found = problem.table
    places = np.searchsorted(np.array(found.models), np.array(placeable))
    fitted = fit(found)
    settled = head_to_head.in_order(found, [int(place) for place in places], fitted.ability)
    solution = replace(fitted, ability=settled)
    rank = intervals.ranks(solution.ability[places])
    drawn = intervals.ranks(intervals.drawn_abilities(found, fitted, draws=problem.draws, seed=problem.seed)[:, places])
    index = _index(found, solution, basket)[places]
    independent = {
        model: len({cell.counted_with for cell in theirs if not cell.own})
        for model, theirs in groupby(found.cells, key=attrgetter("model"))
    }
    order = sorted(range(len(placeable)), key=lambda place: (rank[place], placeable[place]))
    ranges = [intervals.interval(drawn[:, place].tolist(), int(rank[place])) for place in order]
    return tuple(
        Ranked(
            model=placeable[place],
            rank=int(rank[place]),
            low=low,
            high=high,
            tier=tier,
            index=round(float(index[place]), 2),
            benchmarks=coverage[placeable[place]],
            categories=_categories(problem, coverage[placeable[place]]),
            independent=independent[placeable[place]],
        )
        for place, (low, high), tier in zip(order, ranges, intervals.tiers(ranges), strict=True)
    )


def _index(found: Table, solution: Fit, basket: tuple[Item, ...]) -> Vector:
    members = np.array([found.items.index(item) for item in basket])
    models = np.arange(len(found.models))
    return 100 * np.array([solution.expected(models, np.full_like(models, member)) for member in members]).mean(axis=0)
