"""Brings stored ranks up to date."""

from __future__ import annotations

import logging
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from catalog.models import DataChange, LanguageModel, Place, Release, Standing
from catalog.models.locks import wait_for_bulk_writers
from catalog.ranking.release import Release as Ranking
from catalog.ranking.release import to_json
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
StandingValues = dict[int, tuple[int, int, bool]]  # primary key of a score -> rank, of, tied
CELLS_TO_CHECK = 300
"""With fewer, a fifth of a board's scores is too small a part to speak of a mean error."""


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
        releases = [_store(ranking, check, models, again=ranking.scope.key in published) for ranking, check in found]
        # All three, whatever the first does.
        if any([_store_standings(places), _put_back(models), bool(found)]):
            DataChange.record()
        state.remember(before)
        return releases


def _published() -> dict[str, str]:
    """Scope -> hash of what its newest release was computed from."""
    return dict(Release.objects.order_by("pk").values_list("scope", "input_hash"))  # the newest comes last


def _found(rows: Rows, published: Mapping[str, str]) -> Iterator[tuple[Ranking, HoldOut | None]]:
    """Of each scope whose inputs are not those that were published. One after the other, so that what is chosen for one
    fit is let go before the next."""
    from catalog.ranking.publish import prepare  # here, because a process that serves pages never ranks

    today = timezone.localdate().isoformat()
    for scope in scopes(rows.benchmarks).values():
        problem = prepare(scope, rows.scores, rows.benchmarks, rows.candidates)
        if published.get(scope.key) != problem.input_hash and (ranking := _ranked(problem, today)):
            yield ranking, _checked(problem)


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


def _store(ranking: Ranking, check: HoldOut | None, models: dict[str, int], *, again: bool) -> Release:
    """`again`: the scope was published before."""
    before = Release.objects.filter(scope=ranking.scope.key).order_by("-pk").first() if again else None
    release = Release.objects.create(
        scope=ranking.scope.key,
        date=ranking.date,
        method=ranking.method,
        input_hash=ranking.input_hash,
        num_scores=len(ranking.inputs),
        num_ranked=len(ranking.ranked),
        hidden_scores=check.hidden if check else 0,
        hold_out_error=check.mean_error if check else None,
        document=zlib.compress(to_json(ranking)),
        changes=changes(before.ranking, ranking) if before else [],
    )
    if before:
        Place.objects.filter(release__scope=release.scope).exclude(release=release).delete()
    Place.objects.bulk_create(_places(release, ranking, models), batch_size=BATCH)
    return release


def _put_back(models: dict[str, int]) -> bool:
    """Places of the newest releases that went with a model which is here again; returns whether there were any.

    Every model that readers see has a place, ranked or not: a release is read only where some have none.
    """
    newest = Release.objects.order_by().values("scope").annotate(newest=Max("pk")).values("newest")
    held = set(Place.objects.filter(release__in=newest).order_by().values_list("release_id", "model_id"))
    seen = set(LanguageModel.objects.published().values_list("pk", flat=True))
    lacking = [
        place
        for release in Release.objects.filter(pk__in=newest).defer("document", "changes").order_by("pk")
        if any((release.pk, model) not in held for model in seen)
        for place in _places(release, release.ranking, models)
        if (release.pk, place.model_id) not in held
    ]
    Place.objects.bulk_create(lacking, batch_size=BATCH)
    return bool(lacking)


def _places(release: Release, ranking: Ranking, models: dict[str, int]) -> list[Place]:
    """A model that was deleted meanwhile gets none; the next refresh will rank without it."""
    ranked: list[tuple[str, dict[str, Any]]] = [
        (
            place.model,
            {
                "rank": place.rank,
                "low": place.low,
                "high": place.high,
                "tier": place.tier,
                "index": place.index,
                "num_benchmarks": len(place.benchmarks),
                "num_categories": len(place.categories),
                "num_independent": place.independent,
            },
        )
        for place in ranking.ranked
    ]
    unranked: list[tuple[str, dict[str, Any]]] = [
        (
            place.model,
            {"num_benchmarks": place.benchmarks, "num_categories": place.categories, "missing": place.reason.value},
        )
        for place in ranking.unranked
    ]
    return [
        Place(release=release, model_id=models[slug], **values)
        for slug, values in [*ranked, *unranked]
        if slug in models
    ]


def _places_in_benchmarks(rows: Rows) -> StandingValues:
    scores = defaultdict(list)
    for score in rows.scores:
        scores[score.benchmark].append(score)
    return {
        int(place.score.key): (place.rank, place.of, place.tied)
        for benchmark in rows.benchmarks
        for places in standings(scores[benchmark.slug], benchmark, rows.candidates).values()
        for place in places
    }


def _stored_places() -> StandingValues:
    return {pk: (rank, of, tied) for pk, rank, of, tied in Standing.objects.values_list("pk", "rank", "of", "tied")}


def _store_standings(wanted: StandingValues) -> bool:
    """Only the rows that differ are written: a change of one score moves one benchmark. Returns whether any did."""
    held = _stored_places()
    if held == wanted:
        return False
    gone = [pk for pk in held if pk not in wanted]
    for start in range(0, len(gone), BATCH):
        Standing.objects.filter(pk__in=gone[start : start + BATCH]).delete()
    changed = [
        Standing(score_id=pk, rank=rank, of=of, tied=tied)
        for pk, (rank, of, tied) in wanted.items()
        if held.get(pk) != (rank, of, tied)
    ]
    Standing.objects.bulk_create(
        changed,
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["score"],
        update_fields=["rank", "of", "tied"],
    )
    return True
