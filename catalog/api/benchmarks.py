from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Router

from catalog.api.schemas import BenchmarkOut
from catalog.models import Benchmark

router = Router(tags=["benchmarks"])


@router.get("/", response=list[BenchmarkOut])
def list_benchmarks(request: HttpRequest) -> QuerySet[Benchmark]:
    """Every benchmark: what it measures and its scale."""
    return Benchmark.objects.all()
