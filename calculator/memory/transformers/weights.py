"""The weights as transformers holds them.

bitsandbytes replaces `nn.Linear` layers and nothing else (transformers 5.24 `integrations/bitsandbytes.py`,
`replace_with_bnb_linear`): embeddings, the output head (`quantizers/base.py`, `get_keys_to_not_convert`), norms,
convolutions, routers and the experts of a mixture, which are stacked parameters and no `nn.Linear`, stay as they were.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache

from calculator.architecture.shape import Shape
from calculator.memory.checkpoint import (
    NEVER_QUANTISED,
    ceil_div,
    is_native,
    is_of_transformers,
    native_format,
    of_checkpoint,
)
from calculator.memory.tensors import TensorGroup, category, tensor_groups
from calculator.memory.transformers.device_map import DeviceMap, device_map
from calculator.memory.workload import Term

VALUE_BYTES = {"bf16": 2, "f16": 2, "f32": 4}
WIDE = {"FP32": 4, "BF16": 2, "FP16": 2}
NF4_BLOCK = 64  # one f32 maximum per block; double quantisation, which is off by default, would store it in a byte


@dataclass(frozen=True, slots=True)
class Weights:
    stage_bytes: tuple[int, ...]
    terms: tuple[Term, ...]
    file_bytes: int
    vision_terms: tuple[Term, ...]
    vision_bytes: int


def _runs_as_it_is(shape: Shape) -> bool:
    return is_native(shape) or is_of_transformers(shape)


def default(shape: Shape) -> str:
    if _runs_as_it_is(shape):
        return shape.native_format if is_of_transformers(shape) else native_format(shape)
    return {"F32": "FP32", "F16": "FP16"}.get(shape.native_format, "BF16")


@lru_cache(maxsize=64)
def offered(shape: Shape) -> tuple[str, ...]:
    """A quantised checkpoint runs as it is or widened; any other in three widths and through bitsandbytes."""
    if _runs_as_it_is(shape):
        return ("BF16", default(shape))
    return ("FP32", "BF16", "FP16", "INT8", "NF4")


def has_experts(shape: Shape) -> bool:
    return any(category(group.role) == "experts" for group in tensor_groups(shape))


def _is_linear(group: TensorGroup) -> bool:
    return (
        group.part == "text"
        and group.kind == "weight"
        and len(group.shape) == 2
        and group.role not in NEVER_QUANTISED
        and category(group.role) in ("shared_experts", "feed_forward", "mixer")
    )


def tensor_bytes(shape: Shape, group: TensorGroup, weight_format: str) -> tuple[str, int]:
    """The format a tensor is held in, and its bytes."""
    if _runs_as_it_is(shape) and weight_format == shape.native_format:
        spec = of_checkpoint(group.dtype, weight_format, shape.quantization)
        rows, columns = (group.shape[-2], group.shape[-1]) if len(group.shape) > 1 else (group.elements, 1)
        return spec.name, group.matrices * spec.matrix_bytes(rows, columns)
    if weight_format in ("NF4", "INT8") and _is_linear(group):
        if weight_format == "NF4":
            return "NF4", ceil_div(group.elements, 2) + ceil_div(group.elements, NF4_BLOCK) * 4
        scales = 4 * group.shape[0] + 1  # f32, one per output row, and a byte that names the layout
        return "INT8", group.elements + scales
    name = weight_format if weight_format in WIDE else "FP16" if weight_format == "INT8" else "BF16"
    return name, group.elements * WIDE[name]


@lru_cache(maxsize=1024)
def placed(shape: Shape, weight_format: str, cards: int) -> DeviceMap:
    """Where `device_map="auto"` puts this model: layers, embeddings, then the final norm and an untied head."""
    layers = [0] * shape.num_layers
    before = norms = head = 0
    modules: set[tuple[int | None, str]] = set()
    for group in tensor_groups(shape):
        if group.part != "text":
            continue
        module = "experts" if category(group.role) == "experts" else group.role
        modules |= {(layer, module) for layer in group.layers}
        _, size = tensor_bytes(shape, group, weight_format)
        for layer in group.layers:
            if layer is not None:
                layers[layer] += size
            elif group.role == "output":
                head += size
            elif group.role.startswith("output"):
                norms += size
            else:
                before += size
    return device_map(before, layers, (norms, head) if head else (norms,), len(modules), cards)


@lru_cache(maxsize=1024)
def weights(shape: Shape, weight_format: str, cards: int) -> Weights:
    """Bytes per card: whole layers, embeddings, the output head where it was put."""
    places = placed(shape, weight_format, cards)
    stage_bytes = [0] * cards
    totals: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for group in tensor_groups(shape):
        name, one = tensor_bytes(shape, group, weight_format)
        kind = category(group.role) if group.part == "text" else "vision"
        totals[kind, name][0] += group.elements * len(group.layers)
        totals[kind, name][1] += one * len(group.layers)
        if kind == "vision":
            continue
        for layer in group.layers:
            stage_bytes[_card(places, group.role, layer)] += one
    terms = {
        key: Term("weights", {"tensors": key[0], "format": key[1], "parameters": parameters}, size)
        for key, (parameters, size) in totals.items()
    }
    text = tuple(term for key, term in terms.items() if key[0] != "vision")
    vision = tuple(term for key, term in terms.items() if key[0] == "vision")
    return Weights(
        tuple(stage_bytes), text, sum(term.bytes for term in text), vision, sum(term.bytes for term in vision)
    )


def _card(places: DeviceMap, role: str, layer: int | None) -> int:
    if layer is not None:
        return places.layers[layer]
    if role.startswith("output"):
        return places.after[-1] if role == "output" else places.after[0]
    return places.before
