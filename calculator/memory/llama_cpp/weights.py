"""Bytes of weights under a preset: of the whole file, on each card and in RAM.

The token embeddings are looked up on the CPU and stay in RAM however many layers are offloaded
(`LLM_TENSOR_LAYER_INPUT` in `src/llama-arch.cpp`). Where they also serve as output layer, that is a second copy, on the
card (`TENSOR_DUPLICATED` in `src/models/*.cpp`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple, Self

from calculator.architecture.known import large_of_shape, learned_of_shape, of_shape
from calculator.architecture.shape import Shape
from calculator.memory.blocks import BLOCKS, row_bytes
from calculator.memory.llama_cpp.mixture import Recipe, Slot, choose_type
from calculator.memory.llama_cpp.placement import Placement, evenly
from calculator.memory.llama_cpp.presets import USUAL
from calculator.memory.llama_cpp.slots import Slots, gather
from calculator.memory.workload import Term, Workload

ROW_PADDING = 512


class Weights(NamedTuple):
    file_bytes: int
    cards: tuple[tuple[Term, ...], ...]
    ram: tuple[Term, ...]
    on_cards: tuple[Term, ...]  # of all cards, one term per type or one for the share of a file

    @classmethod
    def of(cls, file_bytes: int, cards: tuple[tuple[Term, ...], ...], ram: tuple[Term, ...]) -> Self:
        return cls(file_bytes, cards, ram, cards[0] if len(cards) == 1 else _joined(cards))


def _joined(cards: tuple[tuple[Term, ...], ...]) -> tuple[Term, ...]:
    joined: dict[int | str, Term] = {}
    for term in (term for card in cards for term in card):
        kind, other = term.values["format"], joined.get(term.values["format"])
        if other is not None:
            counted = "part" if "part" in term.values else "elements"
            number = int(other.values[counted]) + int(term.values[counted])
            term = Term(term.key, {**term.values, counted: number}, other.bytes + term.bytes)
        joined[kind] = term
    return tuple(joined.values())


class Located(NamedTuple):
    """Elements by slot, on each card and in RAM."""

    cards: tuple[Mapping[Slot, int], ...]
    ram: Mapping[Slot, int]


def recipe_of(workload: Workload) -> Recipe:
    return recipe_in(workload.weight_format or USUAL, workload.importance_matrix)


@lru_cache(maxsize=256)
def recipe_in(weight_format: str, importance_matrix: bool) -> Recipe:
    """The same for all who ask: a list asks for each format of each model."""
    return Recipe(weight_format, importance_matrix)


@lru_cache(maxsize=1024)
def weigh(shape: Shape, recipe: Recipe, placement: Placement) -> Weights:
    located, types = _locate(shape, recipe.as_stored, placement), types_of(shape, recipe)
    return Weights.of(
        file_bytes=file_bytes(shape, recipe),
        cards=tuple(_terms(card, types) for card in located.cards),
        ram=_terms(located.ram, types),
    )


@learned_of_shape  # a page of a card asks for 25 models in a dozen formats each
def even_bytes(shape: Shape, recipe: Recipe, cards: int) -> tuple[int, ...]:
    """`card_bytes` of so many cards that get equal shares."""
    return card_bytes(shape, recipe, evenly(shape.num_layers, cards))


@lru_cache(maxsize=1024)
def card_bytes(shape: Shape, recipe: Recipe, placement: Placement) -> tuple[int, ...]:
    """What the weights of each card in `weigh` add up to."""
    located, types = _locate(shape, recipe.as_stored, placement), types_of(shape, recipe)
    return tuple(sum([row_bytes(types[slot], number) for slot, number in card.items()]) for card in located.cards)


@of_shape
def file_bytes(shape: Shape, recipe: Recipe) -> int:
    """The tensors of the whole file, from a model with all the layers that it holds."""
    types = types_of(shape, recipe)
    return sum(row_bytes(types[slot], elements) for slot, elements in slots_of(shape, recipe).elements.items())


@lru_cache(maxsize=256)
def types_of(shape: Shape, recipe: Recipe) -> Mapping[Slot, str]:
    """The type that each kind of tensor gets."""
    slots = slots_of(shape, recipe)
    return {slot: choose_type(recipe, slot, slots.traits) for slot in slots.elements}


def slots_of(shape: Shape, recipe: Recipe | None = None) -> Slots:
    """The tensors that a file made so holds; without a recipe, those of every preset."""
    return _slots(shape, recipe is not None and recipe.as_stored)


@large_of_shape
def _slots(shape: Shape, as_stored: bool) -> Slots:
    return gather(shape, as_stored=as_stored)[0]


@lru_cache(maxsize=256)
def _locate(shape: Shape, as_stored: bool, placement: Placement) -> Located:
    slots = _slots(shape, as_stored)
    card_of = {layer: card for card, layers in enumerate(placement.cards) for layer in layers}
    cards: list[dict[Slot, int]] = [{} for _ in placement.cards]
    ram: dict[Slot, int] = {}
    for place, elements in slots.placed.items():
        if place.part in ("embedding", "lookup"):
            homes = [ram]
            if place.part == "embedding" and slots.traits.tied and not placement.output_in_ram:
                homes.append(cards[placement.output])
        elif place.part == "output":
            homes = [ram if placement.output_in_ram else cards[placement.output]]
        else:
            held_back = place.part == "experts" and place.layer < placement.experts_in_ram
            card = None if held_back else card_of.get(place.layer)
            homes = [ram if card is None else cards[card]]
        for home in homes:  # a layer has few tensors: `Counter.update` takes longer to begin than to add
            for slot, number in elements.items():
                home[slot] = home[slot] + number if slot in home else number
    return Located(tuple(cards), ram)


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


@lru_cache(maxsize=16)
def _by_layer(shape: Shape, as_stored: bool) -> Mapping[tuple[str, int | None], tuple[Slot, int, int]]:
    """Slot, row and elements of every weight by role and layer. A bias bears the name of its weight."""
    found: dict[tuple[str, int | None], tuple[Slot, int, int]] = {}
    for tensor, slot in gather(shape, as_stored=as_stored)[1]:
        key, elements = (tensor.role, tensor.layer), tensor.elements
        if key not in found or found[key][2] < elements:
            found[key] = slot, tensor.dimensions[-1], elements
    return found


@lru_cache(maxsize=8192)
def copy_bytes(shape: Shape, recipe: Recipe, role: str, layer: int | None) -> int:
    """Bytes of a weight where CUDA works with a copy of it: its last row is padded to 512 elements
    (`MATRIX_ROW_PADDING` in `ggml/src/ggml-cuda/common.cuh`)."""
    slots, by_layer = slots_of(shape, recipe), _by_layer(shape, recipe.as_stored)
    if role == "output" and slots.traits.tied:
        role = "token_embd"
    if (role, layer) not in by_layer and role == "ffn_gate_up_exps":
        return 2 * copy_bytes(shape, recipe, "ffn_gate_exps", layer)
    slot, row, elements = by_layer[role, layer]
    type_ = choose_type(recipe, slot, slots.traits)
    padding = -row % ROW_PADDING if BLOCKS[type_].elements > 1 else 0
    return row_bytes(type_, elements) + row_bytes(type_, padding)
