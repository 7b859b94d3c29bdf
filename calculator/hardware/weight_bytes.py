"""The weights that a token passes, told apart by where they lie and by whether every token passes them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from calculator.architecture.shape import Shape
from calculator.memory import Estimate, Workload
from calculator.memory.blocks import row_bytes
from calculator.memory.llama_cpp.mixture import choose_type
from calculator.memory.llama_cpp.placement import place
from calculator.memory.llama_cpp.weights import slots_of


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


def weight_bytes(shape: Shape, estimate: Estimate) -> WeightBytes:
    """What multiplies tokens, over all cards and in RAM."""
    workload = estimate.workload
    if workload.engine == "llama.cpp":
        return _llama_cpp(
            shape,
            Workload(
                weight_format=workload.weight_format,
                pipeline_parallel=workload.pipeline_parallel,
                gpu_layers=workload.gpu_layers,
                cpu_expert_layers=workload.cpu_expert_layers,
            ),
        )
    experts = rest = 0
    for term in estimate.part("weights").terms:
        kind = term.values.get("tensors")
        if kind == "experts":
            experts += term.bytes
        elif kind is not None and (kind != "embedding" or shape.tied_embeddings):
            rest += term.bytes
    return WeightBytes(rest, experts)


@lru_cache(maxsize=256)
def _llama_cpp(shape: Shape, workload: Workload) -> WeightBytes:
    placement = place(workload, shape.num_layers)
    slots = slots_of(shape)
    in_ram = frozenset(placement.ram)
    totals = {"device": 0, "device_experts": 0, "host": 0, "host_experts": 0}
    for where, elements in slots.placed.items():
        if where.part == "lookup" or (where.part == "embedding" and not slots.traits.tied):
            continue
        is_expert = where.part == "experts"
        if where.part in ("layer", "experts"):
            on_host = where.layer in in_ram or (is_expert and where.layer < placement.experts_in_ram)
        else:
            on_host = placement.output_in_ram
        size = sum(
            row_bytes(choose_type(workload.weight_format or "", slot, slots.traits), number)
            for slot, number in elements.items()
        )
        totals[f"{'host' if on_host else 'device'}{'_experts' if is_expert else ''}"] += size
    return WeightBytes(**totals, host_layers=in_ram)
