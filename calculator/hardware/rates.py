"""How many devices work at once, and the rates at which they multiply."""

from __future__ import annotations

from typing import NamedTuple

from calculator.hardware.cards import Card
from calculator.hardware.support import format_family
from calculator.memory import Workload


class Lanes(NamedTuple):
    """Devices that work at the same time."""

    decoding: int
    prefilling: int


class Rate(NamedTuple):
    """Operations per second of one card, None where not known, and the data type (`fp16`, `fp8`, `fp4`, `int8`)."""

    operations_per_s: int | None
    key: str


def sixteen_bit(card: Card) -> Rate:
    """Whatever the weights are stored in, they are unpacked to 16 bits."""
    return Rate(card.fp16_flops, "fp16")


def native(card: Card, weight_format: str) -> Rate:
    """FP8, FP4 and INT8 weights are multiplied as they are where the card does that; all else in 16 bits."""
    family = format_family(weight_format)
    if family == "FP8" and card.supports_fp8 and card.fp8_flops:
        return Rate(card.fp8_flops, "fp8")
    if family in ("NVFP4", "MXFP4") and card.supports_fp4 and card.fp4_flops:
        return Rate(card.fp4_flops, "fp4")
    if weight_format.upper() == "INT8" and card.int8_ops:
        return Rate(card.int8_ops, "int8")
    return sixteen_bit(card)


def one_after_another(workload: Workload, devices: int) -> Lanes:
    """One device runs its layers after the other."""
    return Lanes(1, 1)


def ranks_and_stages(workload: Workload) -> Lanes:
    """Ranks of all copies read their slices together; stages work together only on different sequences."""
    busy = workload.tensor_parallel * workload.replicas * min(workload.pipeline_parallel, workload.sequences)
    return Lanes(busy, busy)
