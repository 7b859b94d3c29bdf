"""A graph of tensors as ggml builds it (`ggml/src/ggml.c`): operations in the order in which they are computed.

Only what the allocator asks for is kept: sizes, sources, views. Weights and caches lie elsewhere and are not nodes.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import NamedTuple

Extent = tuple[int, int, int, int]
NOWHERE = -1


class Size(NamedTuple):
    """Bytes: `fixed`, and `per_cell` for every cell of the cache with number `cache`."""

    fixed: int
    per_cell: int = 0
    cache: int = 0


NOTHING = Size(0)

# `ggml_op_can_inplace` in `ggml/src/ggml-alloc.c`: these may write over a source of the same layout.
IN_PLACE = frozenset(
    {"add", "add_id", "sub", "mul", "div", "scale", "unary", "rope", "rms_norm", "clamp", "soft_max", "sqr", "sqrt"}
    | {"fill", "log"}
)


class Tensor:
    """`extent` has the fastest dimension first. `strides` is empty where rows lie one behind the other; two tensors
    of one extent and equal `strides` have the same layout. `base` is what a view looks at; a tensor with `outside`
    lies in a buffer of its own (a weight, a cache), on the back end `place`.

    `kept` are tensors that a fused kernel reads until this one is done, if the nodes `fused` run in one go;
    `card_size` is what it takes on a card, where a kernel works behind its result; `store` tells caches apart, keys (0)
    from values (1), inputs of a convolution from states."""

    __slots__ = (
        *("base", "card_size", "extent", "fused", "kept", "op", "outside", "place", "size", "sources", "store"),
        *("strides", "unit"),
    )

    def __init__(
        self,
        op: str,
        extent: Extent,
        sources: tuple[Tensor, ...],
        size: Size,
        base: Tensor | None = None,
        strides: tuple[object, ...] = (),
        unit: int = 4,
        outside: bool = False,
        place: int = NOWHERE,
    ) -> None:
        self.op, self.extent, self.sources, self.size = op, extent, sources, size
        self.base, self.strides, self.unit, self.outside = base, strides, unit, outside
        self.place = place
        self.kept: tuple[Tensor, ...] = ()
        self.fused: tuple[Tensor, ...] = ()
        self.card_size: Size | None = None
        self.store: tuple[object, int] | None = None

    @property
    def rows(self) -> int:
        return self.extent[0]

    @property
    def elements(self) -> int:
        return prod(self.extent)

    @property
    def is_mask(self) -> bool:
        """An input with a column for every cell."""
        return self.op == "input" and self.extent[0] == 0

    @property
    def contiguous(self) -> bool:
        return not self.strides

    @property
    def span(self) -> Size:
        """Bytes from the first element to the last (`ggml_nbytes`): of a view, less than those of what it looks at."""
        base = self.base
        if base is None or base.outside or base.size.per_cell or base.elements == self.elements:
            return self.size
        rows = base.elements // base.rows
        if self.strides[:1] == ("block",) or self.elements % rows:
            return Size(self.unit * self.elements)
        return Size(self.unit * ((rows - 1) * base.rows + self.elements // rows))

    def same_layout(self, other: Tensor) -> bool:
        return self.extent == other.extent and self.strides == other.strides and self.unit == other.unit


def extent_of(sizes: Iterable[int]) -> Extent:
    a, b, c, d = (*sizes, 1, 1, 1)[:4]
    return a, b, c, d


class Graph:
    """Nodes in order, as `ggml_build_forward_expand` appends them: sources first, each once."""

    def __init__(self) -> None:
        self.nodes: list[Tensor] = []
        self.leaves: list[Tensor] = []
        self._seen: set[Tensor] = set()

    def expand(self, tensor: Tensor | None) -> None:
        if tensor is None or tensor in self._seen:
            return
        self._seen.add(tensor)
        for source in tensor.sources:
            self.expand(source)
        if tensor.op in ("input", "leaf"):
            self.leaves.append(tensor)
        elif tensor.op not in ("weight", "cache"):
            self.nodes.append(tensor)


def node(op: str, sizes: Iterable[int], *sources: Tensor, unit: int = 4) -> Tensor:
    extent = extent_of(sizes)
    return Tensor(op, extent, sources, Size(unit * prod(extent)), unit=unit)


def sized(op: str, sizes: Iterable[int], size: Size, *sources: Tensor, unit: int = 4) -> Tensor:
    """A node whose bytes depend on the cells of a cache; the dimension of cells is given as 0."""
    return Tensor(op, extent_of(sizes), sources, size, unit=unit)


def given(sizes: Iterable[int], unit: int = 4, size: Size | None = None) -> Tensor:
    """An input of the graph."""
    extent = extent_of(sizes)
    return Tensor("input", extent, (), size or Size(unit * prod(extent)), unit=unit)


def view(source: Tensor, sizes: Iterable[int], *strides: object) -> Tensor:
    """Without `strides` a reshape; with them, whatever tells this layout from others."""
    return Tensor(
        "view",
        extent_of(sizes),
        (source,),
        source.size,
        base=source.base or source,
        strides=strides,
        unit=source.unit,
        outside=source.outside,
    )


def same(op: str, source: Tensor, *others: Tensor) -> Tensor:
    """An operation element by element. What it makes lies row behind row."""
    return Tensor(op, source.extent, (source, *others), Size(source.elements * 4) if source.strides else source.size)


def cache(place: int, size: Size = NOTHING, store: tuple[object, int] | None = None) -> Tensor:
    """What a layer keeps of earlier tokens, or the part of it that an operation reads, `size` bytes."""
    found = Tensor("cache", (1, 1, 1, 1), (), size, outside=True, place=place)
    found.store = store
    return found


def written(target: Tensor, *sources: Tensor) -> Tensor:
    """Rows set in a cache: a view of it, computed from `sources`."""
    return Tensor("set_rows", target.extent, sources, NOTHING, base=target, outside=True)
