"""How an engine spreads one model over several devices, and what each device must hold whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

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
    refused = []
    for split in splits(workload, devices):
        placement = _try(shape, split, devices)
        if placement.estimate is not None:
            return placement
        refused.append(placement)
    return refused[0]


class Fullest(NamedTuple):
    """What the fullest device needs, at least, as counted and at the most, and what lies outside of what its program
    counts (`Estimate.outside_bytes`). Without an interval all three are the figure: an engine's allowance is a card's.
    """

    least_bytes: int
    bytes: int
    most_bytes: int
    outside_bytes: tuple[int, int, int]


def fullest(placement: Placement) -> Fullest | None:
    """Of a placement; None where it was refused."""
    answer = placement.estimate
    if answer is None:
        return None
    figure = answer.per_card_bytes
    least, most = answer.per_card_range_bytes or (figure, figure)
    return Fullest(least, figure, most, answer.outside_bytes)


NOTHING = (0, 0, 0)
"""Lies outside of what a program counts, where its engine tells what the fullest device holds."""


def told_fullest(shape: Shape, workload: Workload, devices: int, *, at_rest: bool = False) -> Fullest | None:
    """Of `place`, where the engine of a resolved workload tells it sooner (`HardwareEngine.fullest_bytes`); `at_rest`
    no more than that, and sooner yet (`at_rest_bytes`)."""
    engine = engine_named(workload.engine)
    tell = engine.at_rest_bytes if at_rest else engine.fullest_bytes
    if tell is None:
        raise ValueError(f"{workload.engine} is asked for an estimate")
    for split in splits(workload, devices):
        try:
            return Fullest(*tell(shape, split), NOTHING)
        except WorkloadError as error:
            if error.field not in PARALLEL_FIELDS:
                raise
    return None


def splits(workload: Workload, devices: int) -> Iterator[Workload]:
    """The splits that are tried, in order; one that the workload names stands alone."""
    check_bounds("cards", devices, 1, MAX_DEVICES)
    copies, asked = workload.replicas, workload.devices
    if asked > copies or workload.tensor_split or devices % copies:
        if asked != devices:
            raise HardwareError("cards", "parallel_mismatch", devices=devices, parallel=asked)
        yield workload
        return
    for tensor, pipeline in engine_named(workload.engine).splits(devices // copies):
        yield workload.but(tensor_parallel=tensor, pipeline_parallel=pipeline)


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
