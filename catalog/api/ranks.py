from __future__ import annotations

from typing import Any

from django.db.models import F
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_noop
from ninja import Field, Router, Schema

from catalog.api.schemas import Problem
from catalog.models import Place
from catalog.ranking.scope import OVERALL
from catalog.standings import BOARDS, current

router = Router(tags=["ranks"])


class PlaceOut(Schema):
    model: str
    rank: int | None
    low: int | None = Field(
        description=gettext_noop("`low` to `high` is the rank's interval, from the 5th percentile to the 95th.")
    )
    high: int | None
    tier: int | None
    index: float | None
    num_benchmarks: int
    num_categories: int
    missing: str = Field(description=gettext_noop("Why there is no rank; empty where there is one."))


class BoardOut(Schema):
    board: str
    date: str
    method: str
    input_hash: str
    num_scores: int
    num_ranked: int
    places: list[PlaceOut]


@router.get(
    "/",
    response={200: BoardOut, 404: Problem},
    summary=gettext_noop("The ranks of a board"),
    description=gettext_noop("The newest ones, with what they were computed from."),
)
def get_board(request: HttpRequest, board: str = OVERALL.key) -> dict[str, Any]:
    release = get_object_or_404(current(*({board} & BOARDS.keys())))  # PostgreSQL compares no text with NUL in it
    columns = tuple(PlaceOut.model_fields)
    places = Place.objects.filter(release=release, model__is_published=True)
    rows = places.order_by(F("rank").asc(nulls_last=True), "model__slug").values_list("model__slug", *columns[1:])
    return {
        "board": release.scope,
        "date": release.date.isoformat(),
        "method": release.method,
        "input_hash": release.input_hash,
        "num_scores": release.num_scores,
        "num_ranked": release.num_ranked,
        "places": [dict(zip(columns, row, strict=True)) for row in rows],
    }
