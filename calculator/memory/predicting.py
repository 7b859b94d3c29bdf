"""What every engine asks before it lets a model guess several tokens ahead."""

from __future__ import annotations

from collections.abc import Mapping

from calculator.architecture.shape import Shape
from calculator.memory.tensor_parallel import check_head
from calculator.memory.workload import Note, Workload, WorkloadError

HEADS: Mapping[str, frozenset[str]] = {
    "vllm": frozenset({"eagle", "eagle3", "dflash", "dspark", "medusa", "mtp"}),
    "sglang": frozenset({"eagle", "eagle3", "dflash", "dspark", "mtp"}),
}
"""By engine the kinds of draft head (`DraftHead.kind`) that it takes and that are counted: vLLM 0.33.0
`config/speculative.py` (`SpeculativeMethod`), SGLang 0.5.23 `speculative/spec_info.py` (`SpeculativeAlgorithm`)."""


def takes_head(engine: str, kind: str) -> bool:
    return kind in HEADS.get(engine, ())


def check_predicts(shape: Shape, workload: Workload) -> None:
    """Raises `WorkloadError` for a model without layers that predict, or whose config counts them without saying what
    they are; and for a draft head that the engine does not take."""
    if not workload.mtp:
        return
    if shape.draft_head is not None:
        if not takes_head(workload.engine, shape.draft_head.kind):
            raise WorkloadError("mtp", "head_not_taken", value=shape.draft_head.kind)
        if workload.pipeline_parallel > 1:  # what is shared with the target then lies on other cards
            raise WorkloadError("pipeline_parallel", "not_with_stages", value=workload.pipeline_parallel)
        check_head(shape.draft_head, workload.tensor_parallel, attention_ranks=workload.attention_ranks)
        return
    if shape.mtp_mixers:
        return
    if shape.undescribed_mtp:
        raise WorkloadError("mtp", "mtp_not_described", value=shape.undescribed_mtp, model_type=shape.model_type)
    raise WorkloadError("mtp", "no_mtp_layers", value=workload.mtp)


def head_notes(shape: Shape, workload: Workload) -> tuple[Note, ...]:
    """Of a draft head that needs more of its target than the last hidden state (vLLM `SupportsEagle3`, SGLang
    `set_eagle3_layers_to_capture`)."""
    head = shape.draft_head
    return (Note("reads_hidden_states"),) if workload.mtp and head is not None and head.features > 1 else ()
