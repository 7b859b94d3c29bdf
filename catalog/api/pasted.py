"""The memory that any config.json takes."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router, Status

from calculator import labels
from calculator.architecture import (
    ConfigError,
    is_draft_head,
    read_config,
    read_draft_head,
    with_quantization,
)
from calculator.memory import default_workload
from calculator.pasted_draft import FIELD, with_draft
from calculator.serialize import answer_json
from calculator.workload_form import WorkloadForm
from catalog.api.bodies import sent
from catalog.api.memory import MemoryOut
from catalog.api.questions import BodyQuestions, asked_in
from catalog.api.schemas import Problem, problem

router = Router(tags=["memory"])


class PastedIn(BodyQuestions):  # type: ignore[valid-type,misc]
    """A config.json with a workload beside it; what is left out takes the engine's default.

    `hf_quant_config` is the file of that name, where the checkpoint has one beside its config.json; `draft_config` is
    that of a draft head (EAGLE-3, DFlash ...), which is then loaded beside the model.
    """

    config: dict[str, Any]
    hf_quant_config: dict[str, Any] | None = None
    draft_config: dict[str, Any] | None = None
    assume_standard: bool = False


class PastedOut(MemoryOut):
    assumptions: list[str] = []


@router.post("/memory/", response={200: PastedOut, 400: Problem}, exclude_unset=True, url_name="pasted_memory")
def pasted_memory(request: HttpRequest, body: PastedIn) -> Status[Any]:
    """What a model takes whose config.json is sent along. Nothing is stored.

    An unknown model type is refused, or with `assume_standard` read by the standard keys; `assumptions` then says so.
    A draft head is no model: the refusal says what it is, and that it runs beside its target.
    """
    try:
        told = sent(request)
        config = told["config"]
        if isinstance(beside := told.get("hf_quant_config"), dict):
            config = with_quantization(config, beside)  # type: ignore[arg-type]
        if is_draft_head(config):
            return Status(400, problem({"config": [labels.draft_head_text(read_draft_head(config))]}))  # type: ignore[arg-type]
        shape = read_config(config, assume_standard=body.assume_standard)  # type: ignore[arg-type]
    except ConfigError as error:
        return Status(400, problem({"config": labels.config_error_texts(error)}))
    asked = asked_in(body)
    if isinstance(head := told.get(FIELD), dict):
        try:
            shape, guessed = with_draft(shape, head, asked.get("engine") or default_workload(shape).engine)
        except ConfigError as error:
            return Status(400, problem({FIELD: labels.config_error_texts(error)}))
        asked.setdefault("mtp", str(guessed))
    form = WorkloadForm(shape, asked)
    if not form.is_valid():
        return Status(400, problem(form.errors))
    result = answer_json(str(body.config.get("model_type", "")), shape, form)
    return Status(200, result | {"assumptions": [labels.assumption_text(key) for key in shape.assumptions]})
