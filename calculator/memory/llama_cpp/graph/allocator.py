"""ggml's graph allocator (`ggml/src/ggml-alloc.c`), without the memory: how large its buffer grows.

`plan` decides once what `ggml_gallocr_alloc_graph_impl` decides node by node: which tensors write over a source, and
after which node each is freed. `layout.py` then lays the blocks out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from calculator.memory.llama_cpp.graph.tensors import IN_PLACE, Size, Tensor

NEVER = 1 << 30  # more readers than a graph has


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
    planner = _Planner()
    for tensor in held:
        planner.hold(tensor)
    for tensor in nodes:
        planner.count(tensor)
    for tensor in nodes:
        planner.place(tensor)
        for source in tensor.sources + tensor.kept:
            planner.release(source)
    return tuple(planner.events)


class _Planner:
    __slots__ = ("blocks", "events", "uses")

    def __init__(self) -> None:
        self.uses: defaultdict[Tensor, _Use] = defaultdict(_Use)
        self.events: list[Event] = []
        self.blocks = 0

    def hold(self, tensor: Tensor) -> None:
        self.uses[tensor].children = NEVER
        self._take(tensor.size)

    def count(self, tensor: Tensor) -> None:
        """What the node reads and looks at stays until it is done."""
        uses = self.uses
        if tensor.base is not None:
            uses[tensor.base].views += 1
        for source in tensor.sources:
            uses[source].children += 1
        for source in tensor.kept:
            uses[source].children += 1

    def place(self, tensor: Tensor) -> None:
        """`ggml_gallocr_allocate_node`: over a source where that can be, else in a block of its own."""
        mine = self.uses[tensor]
        if tensor.base is not None or tensor.outside or mine.allocated:
            return
        mine.allocated = True
        parent = self._written_over(tensor) if tensor.op in IN_PLACE else None
        if parent is None:
            mine.block = self._take(tensor.size)
            return
        reused = self.uses[parent]
        mine.block, reused.allocated = reused.block, False
        if parent.size != tensor.size:
            self.events.append(Event(mine.block, parent.size, frees=True, kept=tensor.size))

    def release(self, source: Tensor) -> None:
        """One reader less: with the last the block is freed, a view's with the last view."""
        mine = self.uses[source]
        mine.children -= 1
        if mine.children or mine.views:
            return
        if source.base is not None:
            source = source.base
            mine = self.uses[source]
            mine.views -= 1
            if mine.views or mine.children:
                return
        if mine.allocated:
            self.events.append(Event(mine.block, source.size, frees=True))
            mine.allocated = False

    def _take(self, size: Size) -> int:
        block = self.blocks
        self.blocks += 1
        self.events.append(Event(block, size, frees=False))
        return block

    def _written_over(self, tensor: Tensor) -> Tensor | None:
        """Never a view: views are not marked as allocated there, so they pass for external data."""
        for source in tensor.sources:
            mine = self.uses[source]
            if mine.allocated and mine.children == 1 and not mine.views and tensor.same_layout(source):
                return source
        return None
