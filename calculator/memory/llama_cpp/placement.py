"""Which layer lies where (`load_tensors` in `src/llama-model.cpp`), split by layer: equally, or by `--tensor-split`."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
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


def evenly(num_layers: int, cards: int) -> Placement:
    """All layers on so many cards that get equal shares, where most readers' lie."""
    return _place(num_layers, num_layers + 1, (1.0,) * cards, 0)


def is_even(placement: Placement, num_layers: int) -> bool:
    return placement == evenly(num_layers, len(placement.cards))


def written(shares: tuple[float, ...]) -> str:
    """As `--tensor-split` takes them, to the digits that tell numbers of 32 bits apart."""
    return ",".join(f"{share:.9g}" for share in shares)


@lru_cache(maxsize=256)
def _place(num_layers: int, on_cards: int, shares: tuple[float, ...], experts_in_ram: int) -> Placement:
    first = num_layers + 1 - on_cards
    ends = [first + end for end in _ends(shares, on_cards)]
    held = [tuple(range(start, min(end, num_layers))) for start, end in zip([first, *ends], ends, strict=False)]
    return Placement(
        ram=tuple(range(min(first, num_layers))),
        cards=tuple(held),
        output_in_ram=on_cards == 0,
        experts_in_ram=experts_in_ram,
        output=bisect_right(ends, num_layers) if on_cards else -1,
    )


def _ends(shares: tuple[float, ...], on_cards: int) -> list[int]:
    """How many of so many layers, the output layer last, lie on the first card, on the first two, and so on. Numbers
    have 32 bits as there, and `shares` too."""
    sums = [*accumulate(shares, lambda total, share: _single(total + share))]
    numbers = unpack(f"{on_cards}f", pack(f"{on_cards}f", *[number / on_cards for number in range(on_cards)]))
    return [*(bisect_left(numbers, _single(end / sums[-1])) for end in sums[:-1]), on_cards]


def _single(number: float) -> float:
    return float(unpack("f", pack("f", number))[0])
