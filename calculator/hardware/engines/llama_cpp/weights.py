"""The weights that a token passes in llama.cpp, on the cards and in RAM."""

from __future__ import annotations

from functools import lru_cache

from calculator.architecture.known import learned_of_shape
from calculator.architecture.shape import Shape
from calculator.hardware.weight_bytes import WeightBytes
from calculator.memory import Workload
from calculator.memory.blocks import row_bytes
from calculator.memory.llama_cpp.mixture import Recipe
from calculator.memory.llama_cpp.own_file import share
from calculator.memory.llama_cpp.placement import place
from calculator.memory.llama_cpp.prediction import in_file, split
from calculator.memory.llama_cpp.weights import file_bytes, recipe_of, slots_of, types_of
from calculator.memory.workload import UNASKED


def weight_bytes(shape: Shape, workload: Workload) -> WeightBytes:
    """What multiplies tokens; only the format and the placement matter. Layers of multi-token prediction are left out:
    how often they pay depends on the guesses."""
    if workload.file_bytes is None and workload.gpu_layers is None and not (workload.cpu_expert_layers or workload.mtp):
        return WeightBytes(*_all_on_cards(shape, recipe_of(workload)))
    return _placed(
        shape,
        UNASKED.but(
            weight_format=workload.weight_format,
            importance_matrix=workload.importance_matrix,
            file_bytes=workload.file_bytes,
            pipeline_parallel=workload.pipeline_parallel,
            gpu_layers=workload.gpu_layers,
            cpu_expert_layers=workload.cpu_expert_layers,
            mtp=workload.mtp,
        ),
    )


@learned_of_shape
def _all_on_cards(shape: Shape, recipe: Recipe) -> tuple[int, int]:
    """Of experts last, however many cards share the layers."""
    asked = UNASKED.but(weight_format=recipe.preset, importance_matrix=recipe.imatrix)
    found = _placed(shape, asked)
    return found.device, found.device_experts


@lru_cache(maxsize=1024)
def _placed(shape: Shape, workload: Workload) -> WeightBytes:
    whole = in_file(shape, workload)
    placement, _ = split(place(workload, whole.num_layers), shape.num_layers)
    recipe = recipe_of(workload)
    slots, types = slots_of(whole, recipe), types_of(whole, recipe)
    in_ram = frozenset(placement.ram)
    totals = {"device": 0, "device_experts": 0, "host": 0, "host_experts": 0}
    for where, elements in slots.placed.items():
        if (
            where.layer >= shape.num_layers
            or where.part == "lookup"
            or (where.part == "embedding" and not slots.traits.tied)
        ):
            continue
        is_expert = where.part == "experts"
        if where.part in ("layer", "experts"):
            on_host = where.layer in in_ram or (is_expert and where.layer < placement.experts_in_ram)
        else:
            on_host = placement.output_in_ram
        size = sum([row_bytes(types[slot], number) for slot, number in elements.items()])
        totals[f"{'host' if on_host else 'device'}{'_experts' if is_expert else ''}"] += size
    if workload.file_bytes is not None:
        plain = file_bytes(whole, recipe)
        totals = {name: share(size, workload.file_bytes, plain) for name, size in totals.items()}
    return WeightBytes(**totals, host_layers=in_ram)
