"""Where a graph changes its back end, and what is copied there (`ggml_backend_sched_split_graph` in
`ggml/src/ggml-backend.cpp`, from pass 5 on)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from calculator.memory.llama_cpp.graph.allocator import Placed
from calculator.memory.llama_cpp.graph.back_ends import BackEnd
from calculator.memory.llama_cpp.graph.placing import Places, home
from calculator.memory.llama_cpp.graph.tensors import Size, Tensor


class Scheduled(NamedTuple):
    """Nodes in the order in which they are computed, with copies of what they read from elsewhere in front of each
    split; `copies` of every tensor that was copied, by the back end that it was copied to."""

    nodes: list[Placed]
    copied: dict[tuple[Tensor, int], list[Tensor]]


class _Split:
    __slots__ = ("inputs", "nodes", "place")

    def __init__(self, place: int) -> None:
        self.place = place
        self.inputs: list[Tensor] = []
        self.nodes: list[Tensor] = []


def schedule(nodes: Sequence[Tensor], places: Places, copies: int, host: int, of_cards: BackEnd) -> Scheduled:
    """Every weight that is copied begins a split, so that the one before can be freed."""
    first = next(places[tensor] for tensor in nodes if tensor.op != "view")
    uses = Counter(source for tensor in nodes for source in tensor.sources)
    split = _Split(first)
    splits = [split]
    copied: dict[tuple[Tensor, int], list[Tensor]] = {}
    for tensor in nodes:
        if tensor.op == "view":
            split.nodes.append(tensor)
            continue
        place = places[tensor]
        if place != split.place or (split.inputs and _reads_weight(tensor, place)):
            split = _Split(place)
            splits.append(split)
        sources = []
        for source in tensor.sources:
            if home(source, places) == place:
                sources.append(source)
                continue
            found = copied.get((source, place))
            if found is None:
                found = copied[source, place] = [_copy(source) for _ in range(copies)]
                split.inputs.append(source)
            sources.append(found[0])
        tensor.sources = tuple(sources)
        split.nodes.append(tensor)
    for split in splits:
        if split.place != host:
            split.nodes = of_cards.ordered(split.nodes, uses)
    return Scheduled([entry for split in splits for entry in _in_order(split, places, copied, host)], copied)


def _reads_weight(tensor: Tensor, place: int) -> bool:
    return any(source.op == "weight" and source.place != place for source in tensor.sources)


def _copy(tensor: Tensor) -> Tensor:
    """`ggml_dup_tensor_layout`."""
    return Tensor("copy", tensor.extent, (), tensor.span, strides=tensor.strides, unit=tensor.unit)


def _in_order(split: _Split, places: Places, copied: dict[tuple[Tensor, int], list[Tensor]], host: int) -> list[Placed]:
    found: list[Placed] = []
    for source in split.inputs:
        if not (source.base or source).outside:  # what is copied is kept until then
            found.append((Tensor("dep", (1, 1, 1, 1), (source,), Size(0), outside=True), home(source, places)))
        found.append((copied[source, split.place][0], split.place))
    members = set(split.nodes)
    for tensor in split.nodes:
        fuses = split.place != host and members.issuperset(tensor.fused)
        if tensor.kept and (fuses or not tensor.fused):
            read = [copied.get((source, split.place), [source])[0] for source in tensor.kept]
            tensor.kept = tuple(dict.fromkeys(read))
        else:
            tensor.kept = ()
        found.append((tensor, home(tensor, places)))
    return found
