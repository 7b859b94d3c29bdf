"""The memory that any config.json takes."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_noop
from ninja import Field, Router, Status

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
    """A config.json with a workload beside it; what is left out takes the engine's default."""

    config: dict[str, Any] = Field(description=gettext_noop("The model's `config.json`."))
    hf_quant_config: dict[str, Any] | None = Field(
        None, description=gettext_noop("The file of that name, where the checkpoint has one beside its `config.json`.")
    )
    draft_config: dict[str, Any] | None = Field(
        None,
        description=gettext_noop(
            "The `config.json` of a draft head (EAGLE-3, DFlash and others), which is then loaded beside the model."
        ),
    )
    assume_standard: bool = Field(
        False, description=gettext_noop("Read an unknown model type by the standard keys, instead of refusing it.")
    )


class PastedOut(MemoryOut):
    assumptions: list[str] = Field([], description=gettext_noop("What was assumed of an unknown model type."))


@router.post(
    "/memory/",
    response={200: PastedOut, 400: Problem},
    exclude_unset=True,
    url_name="pasted_memory",
    summary=gettext_noop("Memory of any config.json"),
    description=gettext_noop(
        "What a model takes whose `config.json` is sent along. Nothing is stored. As a model, the config of a draft "
        "head is refused."
    ),
)
def pasted_memory(request: HttpRequest, body: PastedIn) -> Status[Any]:
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
