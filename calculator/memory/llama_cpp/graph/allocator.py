"""ggml's graph allocator (`ggml/src/ggml-alloc.c`), without the memory: how large its buffer grows.

`plan` decides once what `ggml_gallocr_alloc_graph_impl` decides node by node: which tensors write over a source, and
after which node each is freed. `layout.py` then lays the blocks out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from calculator.memory.llama_cpp.graph.tensors import IN_PLACE, Size, Tensor


class Event(NamedTuple):
    """`size` is taken by block `block`, or given back where `frees`; a part of a block where `kept` stays in use."""

    block: int
    size: Size
    frees: bool
    kept: Size | None = None


Plan = tuple[Event, ...]


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
