"""ggml's graph allocator (`ggml/src/ggml-alloc.c`), without the memory: how large its buffers grow.

`plan` decides once what `ggml_gallocr_alloc_graph_impl` decides node by node: which tensors write over a source, and
after which node each is freed. `layout.py` then lays the blocks out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
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
Placed = tuple[Tensor, int]
"""A tensor, and the back end whose buffer it lies in."""


class _Use:
    __slots__ = ("allocated", "block", "buffer", "children", "size", "views")

    block: int
    buffer: int
    size: Size

    def __init__(self) -> None:
        self.children = self.views = 0
        self.allocated = False  # what follows is set with it


def plan(
    nodes: Sequence[Placed], host: int, leaves: Iterable[Placed] = (), held: Iterable[Placed] = ()
) -> tuple[Plan, ...]:
    """The plan of each back end's buffer, the last of which is `host`. `leaves` are allocated first, `held` before
    them, and are never freed. Cards on which the same happens have equal plans."""
    planner = _Planner(host)
    for tensor, buffer in held:
        planner.hold(tensor, buffer)
    for tensor, buffer in leaves:
        planner.place(tensor, buffer)
    for tensor, _ in nodes:
        planner.count(tensor)
    for tensor, buffer in nodes:
        planner.place(tensor, buffer)
        for source in tensor.sources:
            planner.release(source)
        for source in tensor.kept:
            planner.release(source)
    return tuple(_renumbered(planner.events[buffer]) for buffer in range(host + 1))


def _renumbered(events: Iterable[Event]) -> Plan:
    """Blocks by the order in which this buffer takes them: they are counted over all buffers."""
    numbers: dict[int, int] = {}
    return tuple(
        Event(numbers.setdefault(block, len(numbers)), size, frees, kept) for block, size, frees, kept in events
    )


class _Planner:
    __slots__ = ("blocks", "events", "host", "uses")

    def __init__(self, host: int) -> None:
        self.host = host
        self.uses: defaultdict[Tensor, _Use] = defaultdict(_Use)
        self.events: defaultdict[int, list[Event]] = defaultdict(list)
        self.blocks = 0

    def hold(self, tensor: Tensor, buffer: int) -> None:
        self.uses[tensor].children = NEVER
        self.place(tensor, buffer)

    def count(self, tensor: Tensor) -> None:
        """What the node reads and looks at stays until it is done."""
        uses = self.uses
        if tensor.base is not None and not tensor.outside:
            uses[tensor.base].views += 1
        for read in (tensor.sources, tensor.kept):
            for source in read:
                if not source.outside:
                    uses[source].children += 1

    def place(self, tensor: Tensor, buffer: int) -> None:
        """`ggml_gallocr_allocate_node`: over a source where that can be, else in a block of its own."""
        if tensor.base is not None or tensor.outside:
            return
        mine = self.uses[tensor]
        if mine.allocated:
            return
        mine.allocated = True
        parent = self._written_over(tensor) if tensor.op in IN_PLACE else None
        if parent is None:
            mine.buffer, mine.block = buffer, self.blocks
            mine.size = tensor.size if tensor.card_size is None or buffer == self.host else tensor.card_size
            self.blocks += 1
            self.events[buffer].append(Event(mine.block, mine.size, frees=False))
            return
        reused = self.uses[parent]
        mine.buffer, mine.block, mine.size, reused.allocated = reused.buffer, reused.block, tensor.size, False
        if reused.size != tensor.size:
            self.events[mine.buffer].append(Event(mine.block, reused.size, frees=True, kept=tensor.size))

    def release(self, source: Tensor) -> None:
        """One reader less: with the last the block is freed, a view's with the last view."""
        if source.outside:
            return
        mine = self.uses[source]
        mine.children -= 1
        if mine.children or mine.views:
            return
        if source.base is not None:
            mine = self.uses[source.base]
            mine.views -= 1
            if mine.views or mine.children:
                return
        if mine.allocated:
            self.events[mine.buffer].append(Event(mine.block, mine.size, frees=True))
            mine.allocated = False

    def _written_over(self, tensor: Tensor) -> Tensor | None:
        """Never a view: views are not marked as allocated there, so they pass for external data."""
        for source in tensor.sources:
            if source.outside:
                continue
            mine = self.uses[source]
            if mine.allocated and mine.children == 1 and not mine.views and tensor.same_layout(source):
                return source
        return None
