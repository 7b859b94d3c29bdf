"""What published checkpoints of one format may weigh: the format's name does not say what stays in 16 bits.

NVIDIA's Gemma 4 31B in NVFP4 leaves all attention wide, others of the same name do not; shared experts are left wide as
often. The least and the most here are these two habits.
"""

from __future__ import annotations

from functools import lru_cache

from calculator.architecture.shape import Shape
from calculator.memory.checkpoint import FORMATS, is_native, may_quantise
from calculator.memory.rank_weights import storage
from calculator.memory.tensors import category, tensor_groups
from calculator.memory.workload import Note

NARROW = frozenset({"FP8", "FP8-BLOCK", "AWQ", "GPTQ", "NVFP4", "MXFP4"})
"""Formats of checkpoints that somebody makes from a wide one, and publishes."""
OFTEN_WIDE = frozenset({"mixer", "shared_experts"})
"""Kinds of weights (`tensors.category`) that such checkpoints may leave in 16 bits."""


@lru_cache(maxsize=1024)
def format_range(shape: Shape, weight_format: str) -> tuple[int, int] | None:
    """Bytes of the text model's tensors with all matrices of the layers narrow, and with those of `OFTEN_WIDE` wide.
    None where the checkpoint itself says, and where there is nothing to leave wide."""
    if weight_format not in NARROW or (is_native(shape) and weight_format == shape.native_format):
        return None
    least = most = 0
    for group in tensor_groups(shape):
        if group.part != "text":
            continue
        number, size = len(group.layers) * group.matrices, (group.rows, group.columns)
        spec = storage(shape, group, weight_format)
        narrow = number * (spec.matrix_bytes(*size) + spec.file_extra(*size))
        left = may_quantise(group) and category(group.role) in OFTEN_WIDE
        least += narrow
        most += number * FORMATS["BF16"].matrix_bytes(*size) if left else narrow
    return (least, most) if least < most else None


def range_notes(shape: Shape, weight_format: str | None) -> tuple[Note, ...]:
    found = format_range(shape, weight_format) if weight_format else None
    if found is None:
        return ()
    return (Note("format_range", {"format": str(weight_format), "least_bytes": found[0], "most_bytes": found[1]}),)
