from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router

from catalog.api.schemas import AcceleratorOut, Problem
from catalog.models import Accelerator

router = Router(tags=["accelerators"])


@router.get("/", response=list[AcceleratorOut])
def list_accelerators(request: HttpRequest) -> QuerySet[Accelerator]:
    """Every accelerator. Rates are dense; null means not known."""
    return Accelerator.objects.all()


@router.get("/{slug:slug}/", response={200: AcceleratorOut, 404: Problem})
def get_accelerator(request: HttpRequest, slug: str) -> Accelerator:
    """One accelerator."""
    return get_object_or_404(Accelerator, slug=slug)
