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
from calculator.memory.checkpoint import NEVER_QUANTISED, ceil_div, is_native, native_format, of_checkpoint
from calculator.memory.stages import stages
from calculator.memory.tensors import TensorGroup, category, tensor_groups
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


def default(shape: Shape) -> str:
    if is_native(shape):
        return native_format(shape)
    return {"F32": "FP32", "F16": "FP16"}.get(shape.native_format, "BF16")


@lru_cache(maxsize=64)
def offered(shape: Shape) -> tuple[str, ...]:
    """A quantised checkpoint runs as it is or widened; any other in three widths and through bitsandbytes."""
    if is_native(shape):
        return ("BF16", native_format(shape))
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
    if is_native(shape) and weight_format == shape.native_format:
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
def weights(shape: Shape, weight_format: str, depth: int) -> Weights:
    """Bytes per card: whole layers, embeddings on the first, output head on the last."""
    parts = stages(shape.num_layers, depth)
    stage_bytes = [0] * depth
    totals: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for group in tensor_groups(shape):
        name, one = tensor_bytes(shape, group, weight_format)
        kind = category(group.role) if group.part == "text" else "vision"
        totals[kind, name][0] += group.elements * len(group.layers)
        totals[kind, name][1] += one * len(group.layers)
        if kind == "vision":
            continue
        outside = depth - 1 if group.role.startswith("output") else 0
        for layer in group.layers:
            stage = outside if layer is None else next(index for index, stage in enumerate(parts) if layer in stage)
            stage_bytes[stage] += one
    terms = {
        key: Term("weights", {"tensors": key[0], "format": key[1], "parameters": parameters}, size)
        for key, (parameters, size) in totals.items()
    }
    text = tuple(term for key, term in terms.items() if key[0] != "vision")
    vision = tuple(term for key, term in terms.items() if key[0] == "vision")
    return Weights(
        tuple(stage_bytes), text, sum(term.bytes for term in text), vision, sum(term.bytes for term in vision)
    )
