"""Metal: what it runs, how large its tensors are, and its order of a graph (`ggml_graph_optimize` in
`ggml/src/ggml-metal/ggml-metal-common.cpp`): operations that may run at the same time are moved beside each other, so
more is alive at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from calculator.memory.llama_cpp.graph.fusion import keep_inputs, packed
from calculator.memory.llama_cpp.graph.raw import Uses, raw_op, with_views_of_caches
from calculator.memory.llama_cpp.graph.tensors import Size, Tensor

FORWARD = 64  # `N_FORWARD`: so many nodes ahead it looks for one that may run at once
_SAFE = frozenset(
    {"mul_mat", "mul_mat_id", "rope", "norm", "rms_norm", "sum_rows", "ssm_conv", "ssm_scan", "clamp", "mul", "add"}
    | {"sub", "div", "glu", "scale", "unary", "get_rows", "set_rows", "cpy", "cont", "repeat", "view", "reshape"}
)
"""`h_safe`: the search ends at any other operation."""

Range = tuple[object, int]
"""A buffer, and where in it: two numbers for a cache, of which the second follows the first in memory."""


def lacks(tensor: Tensor) -> bool:
    """`ggml_metal_device_supports_op` in `ggml-metal-device.m`."""
    return tensor.op == "lightning_indexer" and tensor.sources[0].extent[:2] != (128, 64)


def offloads(tensor: Tensor) -> bool:
    """`ggml_backend_metal_device_offload_op` in `ggml-metal.cpp`."""
    return tensor.op in ("mul_mat", "mul_mat_id")


def size(tensor: Tensor) -> Size | None:
    """`ggml_backend_metal_buffer_type_get_alloc_size` in `ggml-metal.cpp`: sorting works behind its result."""
    if tensor.op == "argsort":
        return Size(2 * tensor.size.fixed)
    if tensor.op == "top_k":
        fixed, per_cell, cache = tensor.sources[0].size
        return Size(2 * fixed, 2 * per_cell, cache)
    return tensor.card_size


class _Pack:
    """Nodes that stay together, with the ranges that they read and write, and those that lie next to them: a range
    that ends where another begins counts as touching it."""

    __slots__ = ("beside_reads", "beside_writes", "empty", "nodes", "reads", "safe", "writes")

    def __init__(self, nodes: Sequence[Tensor]) -> None:
        self.nodes = nodes
        self.empty, self.safe = nodes[0].op == "view", raw_op(nodes[0]) in _SAFE
        inside = set(nodes)
        self.reads = {_range(s) for t in nodes for s in t.sources if s not in inside and s.op != "weight"}
        self.writes = {_range(tensor) for tensor in nodes}
        self.beside_reads = self.reads.union(map(_next, self.reads))
        self.beside_writes = self.writes.union(map(_next, self.writes))


class _Ranges:
    """`ggml_mem_ranges`: what nodes that run at the same time read and write."""

    __slots__ = ("read", "written")

    def __init__(self) -> None:
        self.read: set[Range] = set()
        self.written: set[Range] = set()

    def add(self, pack: _Pack) -> None:
        self.read.update(pack.reads)
        self.written.update(pack.writes)

    def allow(self, pack: _Pack) -> bool:
        """Whether it may run beside them."""
        return (
            self.written.isdisjoint(pack.beside_reads)
            and self.written.isdisjoint(pack.beside_writes)
            and self.read.isdisjoint(pack.beside_writes)
        )


def _range(tensor: Tensor) -> Range:
    root = tensor.base or tensor
    return root.store if root.store is not None else (root, 0)


def _next(place: Range) -> Range:
    return place[0], place[1] + 1


def reordered(nodes: Sequence[Tensor], uses: Uses) -> list[Tensor]:
    """The nodes of one split as Metal computes them."""
    keep_inputs(nodes)
    seen = list(with_views_of_caches(nodes))
    packs = []
    index = 0
    while index < len(seen):
        length = packed(seen, index, uses)
        packs.append(_Pack(seen[index : index + length]))
        index += length
    return [tensor for pack in _concurrent(packs) for tensor in pack.nodes if tensor.op != "view" or tensor.sources]


def _concurrent(packs: Sequence[_Pack]) -> Iterator[_Pack]:
    """`ggml_metal_graph_optimize_reorder`."""
    used = [False] * len(packs)
    current = _Ranges()
    for index, pack in enumerate(packs):
        if used[index]:
            continue
        if not pack.empty and not current.allow(pack):
            waiting = _Ranges()
            waiting.add(pack)
            for ahead in range(index + 1, min(index + FORWARD, len(packs))):
                if used[ahead]:
                    continue
                other = packs[ahead]
                if not other.safe:
                    break
                if (other.empty or current.allow(other)) and waiting.allow(other):
                    current.add(other)
                    used[ahead] = True
                    yield other
                else:
                    waiting.add(other)
            current = _Ranges()
        current.add(pack)
        yield pack
