"""ggml's graph allocator (`ggml/src/ggml-alloc.c`), without the memory: how large its buffer grows.

`plan` decides once what `ggml_gallocr_alloc_graph_impl` decides node by node: which tensors write over a source, and
after which node each is freed. `peak` then lays the blocks out for one length of the caches.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from calculator.memory.llama_cpp.graph.tensors import IN_PLACE, Size, Tensor

ALIGNMENT = 128  # `ggml_backend_cuda_buffer_type_get_alignment`
ENDLESS = 1 << 60


class Event(NamedTuple):
    """`size` is taken by block `block`, or given back where `frees`; a part of a block where `kept` stays in use."""

    block: int
    size: Size
    frees: bool
    kept: Size | None = None


Plan = tuple[Event, ...]


class Peak(NamedTuple):
    """Bytes of the buffer, and the tensor that made it grow last."""

    bytes: int
    widest: Size


class _Use:
    __slots__ = ("allocated", "block", "children", "views")

    def __init__(self) -> None:
        self.children = self.views = 0
        self.block, self.allocated = -1, False


def plan(nodes: Sequence[Tensor], held: Sequence[Tensor] = ()) -> Plan:
    """`held` are allocated first and never freed. Inputs among `nodes` are allocated where they stand."""
    uses: dict[Tensor, _Use] = {}
    events: list[Event] = []
    blocks = 0

    def use(tensor: Tensor) -> _Use:
        found = uses.get(tensor)
        if found is None:
            found = uses[tensor] = _Use()
        return found

    for tensor in held:
        events.append(Event(blocks, tensor.size, frees=False))
        use(tensor).children = 1 << 30
        blocks += 1
    for tensor in nodes:
        if tensor.base is not None:
            use(tensor.base).views += 1
        for source in tensor.sources:
            use(source).children += 1
        for source in tensor.kept:
            use(source).children += 1

    def release(source: Tensor) -> None:
        mine = use(source)
        mine.children -= 1
        if mine.children or mine.views:
            return
        owner = source
        if source.base is not None:
            owner = source.base
            mine = use(owner)
            mine.views -= 1
            if mine.views or mine.children:
                return
        if mine.allocated:
            events.append(Event(mine.block, owner.size, frees=True))
            mine.allocated = False

    for tensor in nodes:
        mine = use(tensor)
        if tensor.base is None and not tensor.outside and not mine.allocated:
            mine.allocated = True
            parent = _written_over(tensor, uses) if tensor.op in IN_PLACE else None
            if parent is None:
                mine.block = blocks
                blocks += 1
                events.append(Event(mine.block, tensor.size, frees=False))
            else:
                reused = uses[parent]
                mine.block, reused.allocated = reused.block, False
                if parent.size != tensor.size:
                    events.append(Event(mine.block, parent.size, frees=True, kept=tensor.size))
        for source in tensor.sources:
            release(source)
        for source in tensor.kept:
            release(source)
    return tuple(events)


def _written_over(tensor: Tensor, uses: dict[Tensor, _Use]) -> Tensor | None:
    """The source whose block a node takes over, as `ggml_gallocr_allocate_node` finds it.

    Never that of a view: views are not marked as allocated there, so they pass for external data.
    """
    for source in tensor.sources:
        mine = uses[source]
        if mine.allocated and mine.children == 1 and not mine.views and tensor.same_layout(source):
            return source
    return None


def peak(events: Plan, cells: Sequence[int]) -> Peak:
    """For caches of so many cells, followed by the bytes of weights that are copied from RAM."""
    offsets, lengths = [0], [ENDLESS]  # free blocks by address; the last one has no end
    address: dict[int, int] = {}
    largest, widest = 0, Size(0)
    for block, (fixed, per_cell, cache), frees, kept in events:
        size = (fixed + per_cell * cells[cache] + 127) // 128 * 128
        if frees:
            start = address[block]
            if kept is not None:
                inside = (kept.fixed + kept.per_cell * cells[kept.cache] + 127) // 128 * 128
                if size == inside:
                    continue
                start, size = start + inside, size - inside
            _give_back(offsets, lengths, start, size)
            continue
        best, best_length = -1, ENDLESS
        for index in range(len(offsets) - 1):
            if size <= lengths[index] <= best_length:
                best, best_length = index, lengths[index]
        if best < 0:
            best = len(offsets) - 1
        start = address[block] = offsets[best]
        if lengths[best] == size:
            del offsets[best], lengths[best]
        else:
            offsets[best] += size
            lengths[best] -= size
        if start + size > largest:
            largest, widest = start + size, Size(fixed, per_cell, cache)
    return Peak(largest, widest)


def _give_back(offsets: list[int], lengths: list[int], start: int, size: int) -> None:
    """Join a freed block to a free neighbour (`ggml_dyn_tallocr_free_bytes`).

    Empty tensors leave empty blocks, which keep their neighbours from being joined: as there, so here.
    """
    end = start + size
    for index, offset in enumerate(offsets):
        if offset + lengths[index] == start:
            lengths[index] += size
            if index + 1 < len(offsets) and end == offsets[index + 1]:
                lengths[index] += lengths[index + 1]
                del offsets[index + 1], lengths[index + 1]
            return
        if end == offset:
            offsets[index], lengths[index] = start, lengths[index] + size
            return
    index = bisect_left(offsets, start)
    offsets.insert(index, start)
    lengths.insert(index, size)
