from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema, Status

from calculator.serialize import estimate_json
from calculator.workload_form import WorkloadForm
from catalog.api.schemas import Problem, problem
from catalog.api.shapes import shape_or_404

router = Router(tags=["memory"])


class PartBytes(Schema):
    weights_bytes: int
    kv_cache_bytes: int
    state_bytes: int
    compute_bytes: int
    overhead_bytes: int
    vision_bytes: int


class HostBytes(Schema):
    weights_bytes: int
    compute_bytes: int


class MemoryOut(Schema):
    """`parts` lie in the accelerators' memory and add up to `total_bytes`; `host` stays in RAM."""

    model: str
    engine: str
    weights: str
    kv: str
    kv_v: str | None = None
    context: int
    sequences: int
    total_parameters: int
    active_parameters: int
    file_bytes: int
    parts: PartBytes
    total_bytes: int
    host: HostBytes
    notes: list[str]


@router.get(
    "/{slug:slug}/memory/", response={200: MemoryOut, 400: Problem, 404: Problem}, exclude_unset=True, url_name="memory"
)
def model_memory(
    request: HttpRequest,
    slug: str,
    engine: str = "",
    weights: str = "",
    kv: str = "",
    kv_v: str = "",
    context: str = "",
    sequences: str = "",
    vision: str = "",
) -> Status[Any]:
    """What a model takes on an engine, part by part. What is left out takes the engine's default for the model."""
    shape, longest = shape_or_404(slug)
    form = WorkloadForm(shape, request.GET.dict(), max_context_tokens=longest)
    if not form.is_valid():
        return Status(400, problem(form.errors))
    return Status(200, estimate_json(slug, form.estimate))
