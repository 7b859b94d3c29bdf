"""ggml's back ends: what each runs, how large its tensors are and in which order it computes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from calculator.memory.llama_cpp.graph import metal, vulkan
from calculator.memory.llama_cpp.graph.raw import Uses
from calculator.memory.llama_cpp.graph.tensors import Size, Tensor


class BackEnd(NamedTuple):
    """`alignment` in bytes; `lacks` tells operations that run on the CPU instead, `offloads` those that are worth
    copying a weight from RAM for; `size` is what a tensor takes where that is more than its elements; `ordered` are the
    nodes of one split as they are computed."""

    alignment: int
    lacks: Callable[[Tensor], bool]
    offloads: Callable[[Tensor], bool]
    size: Callable[[Tensor], Size | None]
    ordered: Callable[[Sequence[Tensor], Uses], list[Tensor]]


def _as_built(nodes: Sequence[Tensor], uses: Uses) -> list[Tensor]:
    return list(nodes)


def _plain(tensor: Tensor) -> Size | None:
    return tensor.card_size


def _any(tensor: Tensor) -> bool:
    return True


def _cuda_lacks(tensor: Tensor) -> bool:
    """`ggml_backend_cuda_device_supports_op`."""
    return tensor.op == "ssm_conv" and tensor.extent[0] % 128 != 0


def _none(tensor: Tensor) -> bool:
    return False


BACK_ENDS = {
    "cuda": BackEnd(128, _cuda_lacks, _any, _plain, _as_built),
    "metal": BackEnd(32, metal.lacks, metal.offloads, metal.size, metal.reordered),
    "vulkan": BackEnd(64, vulkan.lacks, _any, _plain, vulkan.reordered),
    "cpu": BackEnd(32, _any, _none, _plain, _as_built),  # no card: all runs on the host
}
