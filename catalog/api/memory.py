from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema, Status

from calculator.hardware_form import flattened
from calculator.serialize import answer_json
from calculator.workload_form import WorkloadForm
from catalog.api.questions import MEMORY_PARAMETERS
from catalog.api.schemas import Problem, problem
from catalog.api.shapes import shape_or_404
from catalog.bridge.cards import all_cards

router = Router(tags=["memory"])


class PartBytes(Schema):
    weights_bytes: int
    kv_cache_bytes: int
    state_bytes: int
    compute_bytes: int
    overhead_bytes: int
    vision_bytes: int


class HostBytes(Schema):
    """`vision_bytes` is there where an encoder stays in RAM."""

    weights_bytes: int
    kv_cache_bytes: int
    compute_bytes: int
    vision_bytes: int | None = None


class CardBytes(PartBytes):
    """`overhead_range_bytes` is the least and most that was measured of one card's overhead."""

    overhead_range_bytes: list[int] | None = None


class CapacityOut(Schema):
    """What the server makes of `available_bytes` on each rank: vLLM's "GPU KV cache size" and "Maximum concurrency",
    SGLang's `max_total_num_tokens` and `max_running_requests` (`max_requests`, null in vLLM)."""

    available_bytes: int
    block_bytes: int
    blocks: int
    tokens: int
    concurrency: float
    request_bytes: int
    max_requests: int | None = None


class MemoryOut(Schema):
    """`parts` lie in the accelerators' memory and add up to `total_bytes`; `host` stays in RAM.

    `settings` are the engine's own, as said or by default; `cards` holds the parts of each card; `capacity` is there
    for a server with a pool on a card that is named.
    """

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
    settings: dict[str, bool | int | float | str]
    cards: list[CardBytes]
    capacity: CapacityOut | None = None


@router.get(
    "/{slug:slug}/memory/",
    response={200: MemoryOut, 400: Problem, 404: Problem},
    url_name="memory",
    openapi_extra={"parameters": MEMORY_PARAMETERS},
)
def model_memory(request: HttpRequest, slug: str) -> HttpResponse | Status[Any]:
    """What a model takes on an engine, part by part. What is left out takes the engine's default for the model."""
    shape, longest = shape_or_404(slug)
    form = WorkloadForm(shape, flattened(request.GET), max_context_tokens=longest, cards=all_cards())
    if not form.is_valid():
        return Status(400, problem(form.errors))
    # Written as it is: to check it against its own description would take as long as to compute it.
    return HttpResponse(json.dumps(answer_json(slug, shape, form)), content_type="application/json; charset=utf-8")
