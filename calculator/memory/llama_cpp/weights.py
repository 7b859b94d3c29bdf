"""Bytes of weights under a preset: of the whole file, on each card and in RAM.

The token embeddings are looked up on the CPU and stay in RAM however many layers are offloaded
(`LLM_TENSOR_LAYER_INPUT` in `src/llama-arch.cpp`). Where they also serve as output layer, that is a second copy, on the
card (`TENSOR_DUPLICATED` in `src/models/*.cpp`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from calculator.architecture.shape import Shape
from calculator.memory.blocks import BLOCKS, row_bytes
from calculator.memory.llama_cpp.mixture import Slot, choose_type
from calculator.memory.llama_cpp.placement import Placement
from calculator.memory.llama_cpp.slots import Slots, gather
from calculator.memory.workload import Term


class Weights(NamedTuple):
    """`visiting`: what the first card needs to work on the largest tensor that lies in RAM."""

    file_bytes: int
    cards: tuple[tuple[Term, ...], ...]
    ram: tuple[Term, ...]
    visiting: tuple[Term, ...]


class Located(NamedTuple):
    """Elements by slot, on each card and in RAM."""

    cards: tuple[Mapping[Slot, int], ...]
    ram: Mapping[Slot, int]
    in_ram: tuple[Mapping[Slot, int], ...]  # the layers, experts and output of `ram`, one by one


@lru_cache(maxsize=1024)
def weigh(shape: Shape, preset: str, placement: Placement) -> Weights:
    slots = slots_of(shape)
    located = _locate(shape, placement)
    types = {slot: choose_type(preset, slot, slots.traits) for slot in slots.elements}
    return Weights(
        file_bytes=sum(row_bytes(types[slot], elements) for slot, elements in slots.elements.items()),
        cards=tuple(_terms(card, types) for card in located.cards),
        ram=_terms(located.ram, types),
        visiting=_visiting(located.in_ram, types),
    )


@lru_cache(maxsize=64)
def slots_of(shape: Shape) -> Slots:
    return gather(shape)


@lru_cache(maxsize=256)
def _locate(shape: Shape, placement: Placement) -> Located:
    slots = slots_of(shape)
    card_of = {layer: card for card, layers in enumerate(placement.cards) for layer in layers}
    cards: list[Counter[Slot]] = [Counter() for _ in placement.cards]
    ram: Counter[Slot] = Counter()
    in_ram: list[Mapping[Slot, int]] = []
    for place, elements in slots.placed.items():
        if place.part in ("embedding", "lookup"):
            ram.update(elements)
            if place.part == "embedding" and slots.traits.tied and not placement.output_in_ram:
                cards[-1].update(elements)
        elif place.part == "output":
            (ram if placement.output_in_ram else cards[-1]).update(elements)
            in_ram += [elements] if placement.output_in_ram else []
        else:
            held_back = place.part == "experts" and place.layer < placement.experts_in_ram
            card = None if held_back else card_of.get(place.layer)
            (ram if card is None else cards[card]).update(elements)
            in_ram += [elements] if card is None else []
    return Located(tuple(cards), ram, tuple(in_ram))


def _visiting(in_ram: Iterable[Mapping[Slot, int]], types: Mapping[Slot, str]) -> tuple[Term, ...]:
    """Prompts are computed on the card with weights copied there one tensor at a time (`--op-offload`, the default)."""
    sizes = ((row_bytes(types[slot], number), slot, number) for elements in in_ram for slot, number in elements.items())
    largest = max(sizes, default=None)
    if largest is None:
        return ()
    size, slot, number = largest
    return (Term("visiting_weights", {"format": types[slot], "elements": number}, size),)


def _terms(elements: Mapping[Slot, int], types: Mapping[Slot, str]) -> tuple[Term, ...]:
    """One term per GGML type."""
    by_type: Counter[str] = Counter()
    for slot, number in elements.items():
        by_type[types[slot]] += number
    return tuple(_term(type_, number) for type_, number in by_type.most_common())


def _term(type_: str, elements: int) -> Term:
    block = BLOCKS[type_]
    values: dict[str, int | str] = {
        "format": type_,
        "elements": elements,
        "block_elements": block.elements,
        "block_bytes": block.bytes,
    }
    return Term("blocks", values, row_bytes(type_, elements))
