"""The encoder of images or sound: its F16 file (`mmproj`, `MmprojModel` in `conversion/base.py`) and its own graph."""

from __future__ import annotations

from functools import lru_cache

from calculator.architecture.shape import Shape
from calculator.memory.blocks import row_bytes
from calculator.memory.workload import Term

# One image at a time, flash attention on. Public logs: 3 MiB (Qwen3-VL, idle) to about 500 MiB (a large image).
ENCODER_COMPUTE_BYTES = 256 * 2**20


@lru_cache(maxsize=64)
def vision_terms(shape: Shape) -> tuple[Term, ...]:
    """Empty for a model that reads text alone."""
    matrices = vectors = 0
    for tensor in shape.tensors:
        if tensor.part in ("vision", "audio"):
            if len(tensor.shape) > 1 and tensor.kind == "weight":
                matrices += tensor.elements
            else:
                vectors += tensor.elements
    if not matrices:
        return ()
    return (
        _weights("F16", matrices),
        _weights("F32", vectors),
        Term("encoder_graph", {}, ENCODER_COMPUTE_BYTES),
    )


def _weights(type_: str, elements: int) -> Term:
    size = row_bytes(type_, 1)
    values: dict[str, int | str] = {"format": type_, "elements": elements, "block_elements": 1, "block_bytes": size}
    return Term("blocks", values, elements * size)
