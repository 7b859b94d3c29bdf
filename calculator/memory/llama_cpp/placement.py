"""Which layer lies where (`load_tensors` in `src/llama-model.cpp`), split by layer over equal cards."""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache
from typing import NamedTuple

from calculator.memory.workload import Workload, WorkloadError


class Placement(NamedTuple):
    """Layer numbers in RAM and on each card. The output layer lies on the last card, or in RAM with `output_in_ram`."""

    ram: tuple[int, ...]
    cards: tuple[tuple[int, ...], ...]
    output_in_ram: bool
    experts_in_ram: int  # the experts of so many first layers


def place(workload: Workload, num_layers: int) -> Placement:
    """`--gpu-layers` counts from the output layer down, so the first layers are the ones that stay in RAM.

    `--split-mode row` and `tensor` are not modelled.
    """
    cards = workload.pipeline_parallel
    if cards > num_layers:
        raise WorkloadError("pipeline_parallel", "more_stages_than_layers", value=cards, most=num_layers)
    wanted = num_layers + 1 if workload.gpu_layers is None else workload.gpu_layers
    if wanted < 0 or workload.cpu_expert_layers < 0:
        field = "gpu_layers" if wanted < 0 else "cpu_expert_layers"
        raise WorkloadError(field, "out_of_bounds", value=getattr(workload, field), least=0, most=num_layers + 1)
    return _place(num_layers, min(wanted, num_layers + 1), cards, min(workload.cpu_expert_layers, num_layers))


@lru_cache(maxsize=256)
def _place(num_layers: int, on_cards: int, cards: int, experts_in_ram: int) -> Placement:
    first = num_layers + 1 - on_cards
    ends = [(card + 1) / cards for card in range(cards)]
    held: list[list[int]] = [[] for _ in range(cards)]
    for layer in range(first, num_layers):
        held[min(bisect_right(ends, (layer - first) / on_cards), cards - 1)].append(layer)
    return Placement(
        ram=tuple(range(min(first, num_layers))),
        cards=tuple(tuple(layers) for layers in held),
        output_in_ram=on_cards == 0,
        experts_in_ram=experts_in_ram,
    )
