from __future__ import annotations

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_noop
from ninja import Field, Router
from ninja.pagination import LimitOffsetPagination, paginate

from catalog import search
from catalog.api.schemas import ModelBrief, ModelOut, Problem
from catalog.models import LanguageModel
from catalog.models.querysets import LanguageModelQuerySet

router = Router(tags=["models"])
MOST_ROWS = 1000
MAX_OFFSET = 10**6  # a database takes no number without an end


class Pages(LimitOffsetPagination):
    """`limit` (at most 1,000) and `offset`; `count` is the number of all."""

    class Input(LimitOffsetPagination.Input):
        limit: int = Field(MOST_ROWS, ge=1, le=MOST_ROWS)
        offset: int = Field(0, ge=0, le=MAX_OFFSET)


@router.get(
    "/",
    response={200: list[ModelBrief], 400: Problem},
    summary=gettext_noop("All models"),
    description=gettext_noop("Every published model, newest first, or those that are found."),
)
@paginate(Pages)
def list_models(request: HttpRequest, q: str = "") -> LanguageModelQuerySet:
    return search.found(LanguageModel.objects.published().for_list(), "model", q).order_by("-release_date", "slug")


@router.get(
    "/{slug:slug}/",
    response={200: ModelOut, 404: Problem},
    summary=gettext_noop("One model"),
    description=gettext_noop("Its facts with their sources, its `config.json` and its scores."),
)
def get_model(request: HttpRequest, slug: str) -> LanguageModel:
    return get_object_or_404(LanguageModel.objects.published().for_page(), slug=slug)
