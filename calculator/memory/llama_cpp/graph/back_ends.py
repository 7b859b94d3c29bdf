"""What each of ggml's back ends runs, how large its tensors are and in which order it computes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from calculator.memory.llama_cpp.graph import metal, vulkan
from calculator.memory.llama_cpp.graph.fusion import Uses
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


def _metal_lacks(tensor: Tensor) -> bool:
    """`ggml_metal_device_supports_op` in `ggml-metal-device.m`."""
    return tensor.op == "lightning_indexer" and tensor.sources[0].extent[:2] != (128, 64)


def _metal_offloads(tensor: Tensor) -> bool:
    """`ggml_backend_metal_device_offload_op`."""
    return tensor.op in ("mul_mat", "mul_mat_id")


def _metal_size(tensor: Tensor) -> Size | None:
    """`ggml_backend_metal_buffer_type_get_alloc_size`: sorting works behind its result."""
    if tensor.op == "argsort":
        return Size(2 * tensor.size.fixed)
    if tensor.op == "top_k":
        fixed, per_cell, cache = tensor.sources[0].size
        return Size(2 * fixed, 2 * per_cell, cache)
    return tensor.card_size


def _vulkan_lacks(tensor: Tensor) -> bool:
    """`ggml_backend_vk_device_supports_op`."""
    if tensor.op == "mul_mat" and tensor.sources[0].op == "weight":
        return tensor.extent[3] > 1  # of a weight there is one, of caches of their own several
    return tensor.op == "lightning_indexer" and tensor.sources[0].extent[0] != 128


def _none(tensor: Tensor) -> bool:
    return False


BACK_ENDS = {
    "cuda": BackEnd(128, _cuda_lacks, _any, _plain, _as_built),
    "metal": BackEnd(32, _metal_lacks, _metal_offloads, _metal_size, metal.reordered),
    "vulkan": BackEnd(64, _vulkan_lacks, _any, _plain, vulkan.reordered),
    "cpu": BackEnd(32, _any, _none, _plain, _as_built),  # no card: all runs on the host
}
