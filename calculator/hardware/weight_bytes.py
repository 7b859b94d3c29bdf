"""The weights that a token passes, told apart by where they lie and by whether every token passes them."""

from __future__ import annotations

from dataclasses import dataclass

from calculator.architecture.shape import Shape
from calculator.memory import Estimate


@dataclass(frozen=True, slots=True)
class WeightBytes:
    """Bytes of routed experts and of all else that multiplies tokens; looked-up tables are left out.

    `host_layers` are the layers whose cache stays in RAM with them.
    """

    device: int = 0
    device_experts: int = 0
    host: int = 0
    host_experts: int = 0
    host_layers: frozenset[int] = frozenset()


def all_on_cards(shape: Shape, estimate: Estimate) -> WeightBytes:
    """What multiplies tokens, over all cards, of an engine that keeps nothing in RAM and tells its weights by kind."""
    experts = rest = 0
    for term in estimate.part("weights").terms:
        kind = term.values.get("tensors")
        if kind == "experts":
            experts += term.bytes
        elif kind is not None and (kind != "embedding" or shape.tied_embeddings):
            rest += term.bytes
    return WeightBytes(rest, experts)
