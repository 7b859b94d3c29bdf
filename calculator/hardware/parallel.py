"""How an engine spreads one model over several devices, and what each device must hold whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from calculator.architecture.shape import Attention, LatentAttention, Shape
from calculator.hardware.errors import HardwareError, check_bounds
from calculator.hardware.support import Reason
from calculator.memory import Estimate, Workload, WorkloadError, estimate

MAX_DEVICES = 1024
"""The most that `calculator.memory` splits a model over."""

PARALLEL_FIELDS = ("tensor_parallel", "pipeline_parallel")


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

    llama.cpp (`--split-mode layer`) and transformers (`device_map="auto"`) put whole layers on each device; vLLM cuts
    every tensor, and makes fewer cuts and more stages where the model's sizes do not divide. A workload that
    names its own `tensor_parallel` and `pipeline_parallel` keeps them: their product must be `devices`.

    Raises `HardwareError` for an impossible count, `WorkloadError` for a workload no number of devices can hold.
    """
    check_bounds("cards", devices, 1, MAX_DEVICES)
    asked = workload.tensor_parallel * workload.pipeline_parallel
    if asked > 1:
        if asked != devices:
            raise HardwareError("cards", "parallel_mismatch", devices=devices, parallel=asked)
        return _try(shape, workload, devices)
    refused = []
    for tensor in _tensor_parallel_choices(workload.engine, devices):
        split = replace(workload, tensor_parallel=tensor, pipeline_parallel=devices // tensor)
        placement = _try(shape, split, devices)
        if placement.estimate is not None:
            return placement
        refused.append(placement)
    return refused[0]


def _tensor_parallel_choices(engine: str, devices: int) -> tuple[int, ...]:
    if engine != "vllm":
        return (1,)
    return tuple(parts for parts in range(devices, 0, -1) if devices % parts == 0)


def _try(shape: Shape, workload: Workload, devices: int) -> Placement:
    try:
        answer = estimate(shape, workload)
    except WorkloadError as error:
        if error.field not in PARALLEL_FIELDS:
            raise
        values = {"field": error.field, "error": error.key, **_plain(error.values)}
        refusal = Reason("split_refused", values, blocks=True)
        return Placement(devices=devices, workload=workload, estimate=None, reasons=(refusal,))
    reasons = tuple(_split_reasons(shape, workload, devices))
    return Placement(
        devices=devices,
        workload=answer.workload,
        estimate=answer,
        total_bytes=answer.total_bytes,
        reasons=reasons,
    )


def _plain(values: dict[str, object]) -> dict[str, int | str]:
    return {name: value if isinstance(value, int) else str(value) for name, value in values.items()}


def _split_reasons(shape: Shape, workload: Workload, devices: int) -> Iterator[Reason]:
    """How the split is made, and what every part repeats.

    vLLM repeats key/value heads where there are fewer of them than parts (`QKVParallelLinear`), and the whole latent
    cache of MLA on every rank (`v1/attention/backends/mla`: one latent head).
    """
    if devices == 1:
        return
    parts = workload.tensor_parallel
    if workload.engine != "vllm":
        yield Reason("split_by_layers", {"devices": devices})
        return
    yield Reason("split_by_tensors", {"tensor_parallel": parts, "pipeline_parallel": workload.pipeline_parallel})
    mixers = [mixer for layer in shape.layers for mixer in layer.mixers]
    for kv_heads in sorted({mixer.num_kv_heads for mixer in mixers if isinstance(mixer, Attention)}):
        if kv_heads < parts:
            yield Reason("kv_heads_replicated", {"kv_heads": kv_heads, "parts": parts})
    if parts > 1 and any(isinstance(mixer, LatentAttention) for mixer in mixers):
        yield Reason("latent_replicated", {"parts": parts})
