"""How an engine spreads one model over several devices, and what each device must hold whole."""

from __future__ import annotations

from dataclasses import dataclass

from calculator.architecture.shape import Shape
from calculator.hardware.engines import engine_named
from calculator.hardware.errors import HardwareError, check_bounds
from calculator.hardware.reason import Reason
from calculator.memory import Estimate, Workload, WorkloadError, estimate

MAX_DEVICES = 1024
"""The most that `calculator.memory` splits a model over."""

PARALLEL_FIELDS = ("tensor_parallel", "pipeline_parallel", "data_parallel", "tensor_split")


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """A workload on `devices` devices: what the fullest one holds, and the sum. `estimate` is None where refused."""

    devices: int
    workload: Workload
    estimate: Estimate | None
    total_bytes: int | None = None  # of the estimate: summed once, not for every card
    reasons: tuple[Reason, ...] = ()


def place(shape: Shape, workload: Workload, devices: int) -> Placement:
    """Split `workload` over `devices` equal devices the way its engine does by default.

    The engine says in which order splits are tried; the first that the model's sizes allow is taken. A workload that
    names a split of its own keeps it: tensor x pipeline parallel, times the copies of the whole model (`replicas`),
    must be `devices`, and so must the number of shares (`tensor_split`), be it one.

    Raises `HardwareError` for an impossible count, `WorkloadError` for a workload no number of devices can hold.
    """
    check_bounds("cards", devices, 1, MAX_DEVICES)
    copies, asked = workload.replicas, workload.devices
    if asked > copies or workload.tensor_split or devices % copies:
        if asked != devices:
            raise HardwareError("cards", "parallel_mismatch", devices=devices, parallel=asked)
        return _try(shape, workload, devices)
    refused = []
    for tensor, pipeline in engine_named(workload.engine).splits(devices // copies):
        placement = _try(shape, workload.but(tensor_parallel=tensor, pipeline_parallel=pipeline), devices)
        if placement.estimate is not None:
            return placement
        refused.append(placement)
    return refused[0]


def _try(shape: Shape, workload: Workload, devices: int) -> Placement:
    try:
        answer = estimate(shape, workload)
    except WorkloadError as error:
        if error.field not in PARALLEL_FIELDS:
            raise
        values = {"field": error.field, "error": error.key, **_plain(error.values)}
        refusal = Reason("split_refused", values, blocks=True)
        return Placement(devices=devices, workload=workload, estimate=None, reasons=(refusal,))
    reasons = tuple(engine_named(workload.engine).split_reasons(shape, answer.workload)) if devices > 1 else ()
    return Placement(
        devices=devices,
        workload=answer.workload,
        estimate=answer,
        total_bytes=answer.total_bytes,
        reasons=reasons,
    )


def _plain(values: dict[str, object]) -> dict[str, int | str]:
    return {name: value if isinstance(value, int) else str(value) for name, value in values.items()}
