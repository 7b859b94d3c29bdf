"""Which layer lies where (`load_tensors` in `src/llama-model.cpp`), split by layer: equally, or by `--tensor-split`."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from functools import lru_cache
from itertools import accumulate
from struct import pack, unpack
from typing import NamedTuple

from calculator.memory.workload import Workload, WorkloadError


class Placement(NamedTuple):
    """Layer numbers in RAM and on each card. The output layer lies on card `output`, or in RAM with `output_in_ram`."""

    ram: tuple[int, ...]
    cards: tuple[tuple[int, ...], ...]
    output_in_ram: bool
    experts_in_ram: int  # the experts of so many first layers
    output: int = -1  # the last card


def place(workload: Workload, num_layers: int) -> Placement:
    """`--gpu-layers` counts from the output layer down, so the first layers are the ones that stay in RAM.

    `--split-mode row` and `tensor` are not modelled.
    """
    cards = workload.stages
    if cards > num_layers:
        raise WorkloadError("pipeline_parallel", "more_stages_than_layers", value=cards, most=num_layers)
    wanted = num_layers + 1 if workload.gpu_layers is None else workload.gpu_layers
    if workload.back_end == "cpu":  # a build without one for cards
        wanted = 0
    if wanted < 0 or workload.cpu_expert_layers < 0:
        field = "gpu_layers" if wanted < 0 else "cpu_expert_layers"
        raise WorkloadError(field, "out_of_bounds", value=getattr(workload, field), least=0, most=num_layers + 1)
    shares = tuple(map(_single, workload.tensor_split or ()))
    if not any(shares):  # llama.cpp itself passes over shares of nothing, and so small ones are nothing to it
        shares = (1.0,) * cards
    return _place(num_layers, min(wanted, num_layers + 1), shares, min(workload.cpu_expert_layers, num_layers))


def written(shares: tuple[float, ...]) -> str:
    """As `--tensor-split` takes them, to the digits that tell numbers of 32 bits apart."""
    return ",".join(f"{share:.9g}" for share in shares)


@lru_cache(maxsize=256)
def _place(num_layers: int, on_cards: int, shares: tuple[float, ...], experts_in_ram: int) -> Placement:
    first = num_layers + 1 - on_cards
    held: list[list[int]] = [[] for _ in shares]
    card_of = _card_of(shares, on_cards)
    for layer in range(first, num_layers):
        held[card_of(layer - first)].append(layer)
    return Placement(
        ram=tuple(range(min(first, num_layers))),
        cards=tuple(tuple(layers) for layers in held),
        output_in_ram=on_cards == 0,
        experts_in_ram=experts_in_ram,
        output=card_of(num_layers - first) if on_cards else -1,
    )


def _card_of(shares: tuple[float, ...], on_cards: int) -> Callable[[int], int]:
    """The card of the layer with this number among those on cards. Numbers have 32 bits as there, and `shares` too."""
    sums = [*accumulate(shares, lambda total, share: _single(total + share))]
    ends = [_single(end / sums[-1]) for end in sums]
    return lambda number: min(bisect_right(ends, _single(number / on_cards)), len(shares) - 1)


def _single(number: float) -> float:
    return float(unpack("f", pack("f", number))[0])
