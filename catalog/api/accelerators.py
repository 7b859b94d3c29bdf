from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Router

from catalog.api.schemas import AcceleratorOut
from catalog.models import Accelerator

router = Router(tags=["accelerators"])


@router.get("/", response=list[AcceleratorOut])
def list_accelerators(request: HttpRequest) -> QuerySet[Accelerator]:
    """Every accelerator. Rates are dense; null means not known."""
    return Accelerator.objects.all()
