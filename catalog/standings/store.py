"""Brings stored ranks up to date."""

from __future__ import annotations

import logging
import zlib
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from catalog.models import DataChange, LanguageModel, Place, Release, Standing
from catalog.models.locks import wait_for_bulk_writers
from catalog.ranking.release import Release as Ranking
from catalog.ranking.release import inputs_in, to_json
from catalog.ranking.scope import Scope
from catalog.ranking.standing import standings
from catalog.standings import state
from catalog.standings.boards import scopes
from catalog.standings.changes import changes
from catalog.standings.rows import Rows, read

if TYPE_CHECKING:
    from catalog.ranking.holdout import HoldOut
    from catalog.ranking.publish import Problem

logger = logging.getLogger(__name__)

BATCH = 500
READ_BATCH = 2000
PLACE = ("rank", "low", "high", "tier", "index", "num_benchmarks", "num_categories", "num_independent", "missing")
PlaceValues = tuple[Any, ...]  # a model's slug, and these columns of its place
T = TypeVar("T")
CELLS_TO_CHECK = 300
"""With fewer, a fifth of a board's scores is too small a part to speak of a mean error."""


class Made(NamedTuple):
    """A board, of which its inputs are let go before the next is fitted: a release and its places, not yet stored."""

    release: Release
    places: list[PlaceValues]


class Unsolved(NamedTuple):
    """A board to whose inputs of this hash the fit found no solution."""

    scope: str
    input_hash: str


class InBenchmarks:
    """Places of scores in their benchmarks, by the scores' primary keys, in columns: there are 400,000."""

    def __init__(self, places: Iterable[tuple[int, int, int, bool]]) -> None:
        self.keys, self.rank, self.of, self.tied = array("q"), array("q"), array("q"), bytearray()
        for pk, rank, of, tied in places:
            self.keys.append(pk)
            self.rank.append(rank)
            self.of.append(of)
            self.tied.append(tied)

    def unlike(self, held: Iterable[tuple[int, int, int, bool]]) -> tuple[array[int], array[int]]:
        """Where among these are those that are not `held` so, and the keys of those that are held and not here. Both
        are looked at in the order of the keys."""
        others, gone = array("q"), array("q")
        left = iter(held)
        other = next(left, None)
        for at in sorted(range(len(self.keys)), key=self.keys.__getitem__):
            while other and other[0] < self.keys[at]:
                gone.append(other[0])
                other = next(left, None)
            if other and other[0] == self.keys[at]:
                same = other[1:] == (self.rank[at], self.of[at], bool(self.tied[at]))
                other = next(left, None)
                if same:
                    continue
            others.append(at)
        while other:
            gone.append(other[0])
            other = next(left, None)
        return others, gone


def refresh(*, look_again: bool = False) -> list[Release]:
    """Publishes every scope whose inputs changed and places scores inside their benchmarks; returns what is new.

    The fits run before anything is written, so that a lock is held for a moment only. Where somebody changed a score
    or published meanwhile, all of it is done again: ranks never belong to older scores than those they replace.

    `look_again`: also where neither rows nor code changed, which else tells that nothing is to be done. A board that
    came to no solution is tried once more.
    """
    while (releases := _refresh_unless_overtaken(look_again)) is None:
        pass
    return releases


def _refresh_unless_overtaken(look_again: bool) -> list[Release] | None:
    before = state.state_of_rows()
    if state.known() == before and not look_again:
        return []
    rows, published = read(), _published()
    found = list(_found(rows, published))
    places = _places_in_benchmarks(rows)
    with transaction.atomic():
        wait_for_bulk_writers()
        if (state.state_of_rows(), _published()) != (before, published):
            return None
        models = dict(LanguageModel.objects.values_list("slug", "pk"))
        made = [each for each in found if isinstance(each, Made)]
        releases = [_store(each, models, again=each.release.scope in published) for each in made]
        unsolved = dict(each for each in found if isinstance(each, Unsolved))
        # All four, whatever the first does.
        if any([_store_standings(places), _put_back(models), _tell(unsolved), bool(releases)]):
            DataChange.record()
        state.remember(before)
        return releases


def _published() -> dict[str, str]:
    """Scope -> hash of what its newest release was computed from."""
    return dict(Release.objects.order_by("pk").values_list("scope", "input_hash"))  # the newest comes last


def _found(rows: Rows, published: Mapping[str, str]) -> Iterator[Made | Unsolved]:
    """Of each scope whose inputs are not those that were published."""
    for scope in scopes(rows.benchmarks).values():
        if made := _made(scope, rows, published.get(scope.key)):
            yield made


def _made(scope: Scope, rows: Rows, published: str | None) -> Made | Unsolved | None:
    """`published` is the hash of what its newest release came from. Nothing of a board outlives this but what is
    stored: one after the other, they take the memory of the largest."""
    from catalog.ranking.publish import prepare  # here, because a process that serves pages never ranks

    problem = prepare(scope, rows.scores, rows.benchmarks, rows.candidates)
    if published == problem.input_hash:
        return None
    ranking = _ranked(problem, timezone.localdate().isoformat())
    if ranking is None:
        return Unsolved(scope.key, problem.input_hash)
    check = _checked(problem)
    before = Release.objects.filter(scope=scope.key).order_by("-pk").first() if published else None
    release = Release(
        scope=scope.key,
        date=ranking.date,
        method=ranking.method,
        input_hash=ranking.input_hash,
        num_scores=len(ranking.inputs),
        num_ranked=len(ranking.ranked),
        hidden_scores=check.hidden if check else 0,
        hold_out_error=check.mean_error if check else None,
        document=_packed(to_json(ranking)),
        changes=changes(before.without_inputs, inputs_in(before.json()), ranking) if before else [],
    )
    return Made(release, _place_values(ranking))


def _packed(pieces: Iterable[bytes]) -> bytes:
    packing = zlib.compressobj()
    return b"".join((*map(packing.compress, pieces), packing.flush()))


def _ranked(problem: Problem, date: str) -> Ranking | None:
    from catalog.ranking.publish import publish

    try:
        return publish(problem, date)
    except ArithmeticError as error:  # it stays as it was: one board must not hold up the others
        logger.error("%s: no ranks: %s", problem.scope.key, error)
        return None


def _checked(problem: Problem) -> HoldOut | None:
    from catalog.ranking.holdout import hold_out

    if len(problem.table.cells) < CELLS_TO_CHECK:
        return None
    try:
        return hold_out(problem.table)
    except ArithmeticError as error:  # ranks are told without their check rather than not at all
        logger.warning("%s: hidden scores could not be predicted: %s", problem.scope.key, error)
        return None


def _store(made: Made, models: dict[str, int], *, again: bool) -> Release:
    """`again`: the scope was published before."""
    release = made.release
    release.save(force_insert=True)
    if again:
        Place.objects.filter(release__scope=release.scope).delete()
    _create(_places(release, made.places, models))
    return release


def _tell(unsolved: Mapping[str, str]) -> bool:
    """At the newest release of each scope, whether it is older than its scores, since these came to no solution;
    returns whether any said otherwise."""
    newest = Release.objects.order_by().values("scope").annotate(newest=Max("pk")).values("newest")
    told = list(Release.objects.filter(pk__in=newest).values_list("pk", "scope", "unsolved"))
    differ = {pk: unsolved.get(scope, "") for pk, scope, known in told if known != unsolved.get(scope, "")}
    for pk, known in differ.items():
        Release.objects.filter(pk=pk).update(unsolved=known)
    return bool(differ)


def _create(places: Iterable[Place]) -> bool:
    """Few at a time; returns whether there were any."""
    return sum(len(Place.objects.bulk_create(batch)) for batch in _batches(places)) > 0


def _batches(rows: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    left = iter(rows)
    while batch := list(islice(left, size)):
        yield batch


def _put_back(models: dict[str, int]) -> bool:
    """Places of the newest releases that went with a model which is here again; returns whether there were any.

    Every model that readers see has a place, ranked or not: a release is read only where some have none.
    """
    newest = Release.objects.order_by().values("scope").annotate(newest=Max("pk")).values("newest")
    held: defaultdict[int, set[int]] = defaultdict(set)
    places = Place.objects.filter(release__in=newest).order_by().values_list("release_id", "model_id")
    for pk, model in places.iterator(READ_BATCH):
        held[pk].add(model)
    seen = set(LanguageModel.objects.published().values_list("pk", flat=True))
    return _create(
        place
        for release in Release.objects.filter(pk__in=newest).defer("document", "changes").order_by("pk")
        if seen - held[release.pk]
        for place in _places(release, _place_values(release.without_inputs), models)
        if place.model_id not in held[release.pk]
    )


def _places(release: Release, places: Iterable[PlaceValues], models: dict[str, int]) -> Iterator[Place]:
    """A model that was deleted meanwhile gets none; the next refresh will rank without it."""
    return (
        Place(release=release, model_id=models[slug], **dict(zip(PLACE, values, strict=True)))
        for slug, *values in places
        if slug in models
    )


def _place_values(ranking: Ranking) -> list[PlaceValues]:
    ranked: list[PlaceValues] = [
        (
            *(place.model, place.rank, place.low, place.high, place.tier, place.index),
            *(len(place.benchmarks), len(place.categories), place.independent, ""),
        )
        for place in ranking.ranked
    ]
    nothing = (None,) * 5
    ranked += [
        (place.model, *nothing, place.benchmarks, place.categories, None, place.reason.value)
        for place in ranking.unranked
    ]
    return ranked


def _places_in_benchmarks(rows: Rows) -> InBenchmarks:
    return InBenchmarks(
        (int(place.score.key), place.rank, place.of, place.tied)
        for benchmark in rows.benchmarks
        if benchmark.slug in rows.scores
        for places in standings(rows.scores[benchmark.slug], benchmark, rows.candidates).values()
        for place in places
    )


def _store_standings(wanted: InBenchmarks) -> bool:
    """Only the rows that differ are written: a change of one score moves one benchmark. Returns whether any did."""
    held = Standing.objects.order_by("pk").values_list("pk", "rank", "of", "tied")
    others, gone = wanted.unlike(held.iterator(READ_BATCH))  # read to the end before anything is written
    for keys in _batches(gone):
        Standing.objects.filter(pk__in=keys).delete()
    for places in _batches(others):
        Standing.objects.bulk_create(
            [
                Standing(score_id=wanted.keys[at], rank=wanted.rank[at], of=wanted.of[at], tied=bool(wanted.tied[at]))
                for at in places
            ],
            update_conflicts=True,
            unique_fields=["score"],
            update_fields=["rank", "of", "tied"],
        )
    return bool(others or gone)
