"""What every engine asks before it lets a model guess several tokens ahead."""

from __future__ import annotations

from calculator.architecture.shape import Shape
from calculator.memory.workload import Workload, WorkloadError


def check_predicts(shape: Shape, workload: Workload) -> None:
    """Raises `WorkloadError` for a model without layers that predict, or whose config counts them without saying what
    they are."""
    if not workload.mtp or shape.mtp_mixers:
        return
    if shape.undescribed_mtp:
        raise WorkloadError("mtp", "mtp_not_described", value=shape.undescribed_mtp, model_type=shape.model_type)
    raise WorkloadError("mtp", "no_mtp_layers", value=workload.mtp)
