from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_noop
from ninja import Field, Router, Schema, Status

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
    weights_bytes: int
    kv_cache_bytes: int
    compute_bytes: int
    vision_bytes: int | None = Field(None, description=gettext_noop("Of an image encoder that stays in RAM."))


class CardBytes(PartBytes):
    overhead_range_bytes: list[int] | None = Field(
        None, description=gettext_noop("The least and the most that was measured of one card's overhead.")
    )


class CapacityOut(Schema):
    """What the server makes of `available_bytes` on each rank."""

    available_bytes: int = Field(description=gettext_noop("What each rank has left for its cache."))
    block_bytes: int
    blocks: int
    tokens: int = Field(description=gettext_noop("vLLM's “GPU KV cache size”, SGLang's `max_total_num_tokens`."))
    concurrency: float = Field(description=gettext_noop("vLLM's “Maximum concurrency”."))
    request_bytes: int
    max_requests: int | None = Field(None, description=gettext_noop("SGLang's `max_running_requests`; null in vLLM."))


class MemoryOut(Schema):
    model: str
    engine: str
    weights: str
    kv: str
    kv_v: str | None = None
    context: int
    sequences: int
    total_parameters: int
    active_parameters: int
    file_bytes: int = Field(
        description=gettext_noop("Tensor data of the whole text model in that format: the file without its metadata.")
    )
    parts: PartBytes = Field(
        description=gettext_noop("What must lie in the accelerators' memory; adds up to `total_bytes`.")
    )
    total_bytes: int
    host: HostBytes = Field(description=gettext_noop("What stays in RAM."))
    notes: list[str]
    settings: dict[str, bool | int | float | str] = Field(
        description=gettext_noop("The engine's own settings, as asked for or by default.")
    )
    cards: list[CardBytes] = Field(description=gettext_noop("The parts of each card."))
    capacity: CapacityOut | None = Field(
        None, description=gettext_noop("Of a server that divides a pool of memory, on a card that is named.")
    )


@router.get(
    "/{slug:slug}/memory/",
    response={200: MemoryOut, 400: Problem, 404: Problem},
    url_name="memory",
    openapi_extra={"parameters": MEMORY_PARAMETERS},
    summary=gettext_noop("Memory of a model"),
    description=gettext_noop(
        "What a model takes on an engine, part by part. What is left out takes the engine's default for the model."
    ),
)
def model_memory(request: HttpRequest, slug: str) -> HttpResponse | Status[Any]:
    shape, longest = shape_or_404(slug)
    form = WorkloadForm(shape, flattened(request.GET), max_context_tokens=longest, cards=all_cards())
    if not form.is_valid():
        return Status(400, problem(form.errors))
    # Written as it is: to check it against its own description would take as long as to compute it.
    return HttpResponse(json.dumps(answer_json(slug, shape, form)), content_type="application/json; charset=utf-8")
