"""Behind the ranks: how they are computed, what they were computed from, what moved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render

from calculator.paging import page_of
from catalog.models import Benchmark, DataChange, Release
from catalog.models.vocabulary import BenchmarkCategory
from catalog.ranking import release as rankings
from catalog.ranking import rule
from catalog.ranking.cells import REFERENCE_RATING
from catalog.ranking.scope import OVERALL
from catalog.standings import BOARDS, board_label, current
from catalog.standings.words import MISSING, change_text, mentions, names_of_drafts

RELEASES_PER_PAGE = 10
NAMED_CHANGES = 25  # of one release; the rest is counted, its document has them all


def method(request: HttpRequest) -> HttpResponse:
    """The rule, and the facts of one board: pool, coverage, date, basket, inputs."""
    board = request.GET.get("board", OVERALL.key)
    if board not in BOARDS:
        raise Http404
    releases = {release.scope: release for release in current(*BOARDS)}
    context: dict[str, Any] = {
        "board": board,
        "board_label": board_label(board),
        "boards": [(key, label) for key, label in BOARDS.items() if key in releases],
        "constants": {
            "noise": rule.NOISE,
            "ability": rule.ABILITY_PRIOR,
            "difficulty": rule.DIFFICULTY_PRIOR,
            "slope": rule.SLOPE_PRIOR,
            "offset": rule.OFFSET_PRIOR,
            "shared": rule.MIN_SHARED,
            "won": round(100 * rule.SHARE_WON),
            "rating": int(REFERENCE_RATING),
            "models_per_item": rule.MIN_MODELS_PER_ITEM,
        },
    }
    if board in releases:
        context |= _facts(releases[board])
    return render(request, "catalog/ranking_method.html", context)


def _facts(release: Release) -> dict[str, Any]:
    ranking, missing = _told(release.pk, release.input_hash)
    names = {benchmark.slug: benchmark for benchmark in Benchmark.objects.all()}
    categories = dict(BenchmarkCategory.choices)
    return {
        "release": release,
        "ranking": ranking,
        "basket": [(names[item.benchmark], item.variant) for item in ranking.basket if item.benchmark in names],
        "categories": [categories[key] for key in sorted(ranking.scope.categories or ()) if key in categories],
        "num_unranked": sum(count for _reason, count in missing),
        "missing": [(str(MISSING[reason]), count) for reason, count in missing],
    }


@lru_cache(maxsize=len(BOARDS))
def _told(pk: int, input_hash: str) -> tuple[rankings.Release, Sequence[tuple[rankings.Missing, int]]]:
    """What a release says of itself, and why models have no rank: read once, as no release is ever changed.

    Without its models and scores, which are many and not told here.
    """
    summary = Release.objects.only("document").get(pk=pk).summary
    missing = Counter(place.reason for place in summary.unranked)
    return replace(summary, unranked=()), missing.most_common()


def changes(request: HttpRequest) -> HttpResponse:
    """Every release that moved a rank, the newest first, with what moved it."""
    releases = Release.objects.exclude(changes=[]).defer("document", "changes").order_by("-pk")
    paged = page_of(request.GET.get("page"), releases, RELEASES_PER_PAGE)
    shown = [(release, *_moved(release.pk, release.input_hash)) for release in paged["page"]]
    models = mentions(_slugs(change for _release, moves, _more in shown for change in moves))
    benchmarks = {benchmark.slug: benchmark.name for benchmark in Benchmark.objects.all()}
    return render(
        request,
        "catalog/ranking_changes.html",
        {
            **paged,
            "releases": [
                {
                    "release": release,
                    "board": board_label(release.scope),
                    "moves": [
                        {
                            "model": models[change["model"]],
                            "slug": change["model"],
                            "old": change["old"],
                            "new": change["new"],
                            "causes": [change_text(reason, benchmarks, models) for reason in change["reasons"]],
                        }
                        for change in moves
                    ],
                    "more": more,
                }
                for release, moves, more in shown
            ],
        },
    )


@lru_cache(maxsize=16 * RELEASES_PER_PAGE)
def _moved(pk: int, input_hash: str) -> tuple[Sequence[Mapping[str, Any]], int]:
    """What is told of a release's changes, and how many there are beside: read once, and one release after the other,
    as nearly all of 20,000 models may have moved in each."""
    changes = Release.objects.values_list("changes", flat=True).get(pk=pk)
    told = _weighty(changes)
    return told, len(changes) - len(told)


def _weighty(changes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Models with a cause of their own before those that others moved, then the larger moves."""

    def order(change: Mapping[str, Any]) -> tuple[bool, int]:
        own = any("benchmark" in reason for reason in change["reasons"])
        entered_or_left = change["old"] is None or change["new"] is None
        return not (own or entered_or_left), -abs((change["old"] or 0) - (change["new"] or 0))

    return sorted(changes, key=order)[:NAMED_CHANGES]


def _slugs(moves: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Of the models that are named."""
    for change in moves:
        yield change["model"]
        for reason in change["reasons"]:
            yield from reason.get("others", ())


def release(request: HttpRequest, pk: int) -> HttpResponseBase:
    """A whole release as JSON: every score it read, every rank it gave, but for models that readers no longer see. Sent
    as it is unpacked, and not kept: few ask, and no cache would hold a large one."""
    row = get_object_or_404(Release.objects.defer("changes"), pk=pk)
    drafts = names_of_drafts(DataChange.version())
    told = rankings.without_models(row.json(), drafts) if drafts else row.json()
    response = StreamingHttpResponse(told, content_type="application/json")
    name = f"{row.scope.replace('/', '-')}-{row.date}-{row.input_hash[:12]}.json"
    untold = blake2b(repr(sorted(drafts)).encode(), digest_size=8).hexdigest()
    response["ETag"] = f'"{row.pk}-{row.input_hash}-{untold}"'  # a release itself is never changed
    response["Content-Disposition"] = f'inline; filename="{name}"'
    return response
