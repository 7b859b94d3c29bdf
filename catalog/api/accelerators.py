from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_noop
from ninja import Router

from catalog.api.schemas import AcceleratorOut, Problem
from catalog.models import Accelerator

router = Router(tags=["accelerators"])


@router.get(
    "/",
    response=list[AcceleratorOut],
    summary=gettext_noop("All accelerators"),
    description=gettext_noop("Rates of arithmetic are dense; null means not known."),
)
def list_accelerators(request: HttpRequest) -> QuerySet[Accelerator]:
    return Accelerator.objects.all()


@router.get(
    "/{slug:slug}/",
    response={200: AcceleratorOut, 404: Problem},
    summary=gettext_noop("One accelerator"),
    description=gettext_noop("Its facts, with the addresses of their sources."),
)
def get_accelerator(request: HttpRequest, slug: str) -> Accelerator:
    return get_object_or_404(Accelerator, slug=slug)
