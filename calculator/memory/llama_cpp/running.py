"""Everything but weights and overhead: what a context of llama.cpp allocates, on the cards and in RAM."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from calculator.architecture.shape import Shape
from calculator.memory.llama_cpp.batch import slot_count
from calculator.memory.llama_cpp.cache import cache_terms
from calculator.memory.llama_cpp.compute import card_terms, host_terms, setting_of
from calculator.memory.llama_cpp.draft import draft_cache, draft_compute, draft_host, workload_of
from calculator.memory.llama_cpp.graph import Setting, copies_of
from calculator.memory.llama_cpp.overhead import result_terms
from calculator.memory.llama_cpp.placement import Placement, place
from calculator.memory.llama_cpp.prediction import in_file, output_rows, snapshots, split
from calculator.memory.llama_cpp.state import state_terms
from calculator.memory.llama_cpp.vision import vision_terms
from calculator.memory.workload import Part, Term, Workload

Terms = tuple[Term, ...]


class Running(NamedTuple):
    placement: Placement
    parts: tuple[Part, ...]  # kv_cache, state, compute, vision
    host: tuple[Part, ...]  # compute; kv_cache and state where layers stay in RAM
    cards: tuple[tuple[Part, ...], ...]  # `parts` of each card


@lru_cache(maxsize=4096)
def run(shape: Shape, workload: Workload) -> Running:
    """The weight format matters where weights lie in RAM and are copied to a card; else it may be left out, as may
    what is known of the card."""
    placement = place(workload, in_file(shape, workload).num_layers)
    setting = setting_of(shape, workload, split(placement, shape.num_layers)[0])
    vision = vision_terms(shape) if workload.vision else ()
    cards = tuple(
        _parts(
            *_kept(shape, workload, layers),
            _at_work(shape, workload, setting, placement, card),
            vision if card == 0 and not workload.mmproj_in_ram else (),
        )
        for card, layers in enumerate(placement.cards)
    )
    return Running(
        placement=placement,
        parts=cards[0] if len(cards) == 1 else _summed(shape, workload, placement, cards),
        host=_in_ram(shape, workload, setting, placement),
        cards=cards,
    )


def _kept(shape: Shape, workload: Workload, layers: tuple[int, ...]) -> tuple[Terms, Terms]:
    """Cache and state of these layers of the file."""
    first, behind = layers, None
    if workload.mtp:
        first = tuple(layer for layer in layers if layer < shape.num_layers)
        behind = tuple(layer - shape.num_layers for layer in layers if layer >= shape.num_layers)
    cache = cache_terms(shape, workload, first)
    if behind is not None:
        cache += draft_cache(shape, workload_of(shape, workload), behind)
    return cache, state_terms(shape, slot_count(workload), first, snapshots(shape, workload))


def _at_work(shape: Shape, workload: Workload, setting: Setting, placement: Placement, card: int) -> Terms:
    """The compute buffers of one card."""
    first, _ = split(placement, shape.num_layers)
    compute = card_terms(shape, workload, setting, first, card, copies_of(placement))
    return compute + draft_compute(shape, workload_of(shape, workload), placement, card) if workload.mtp else compute


def _summed(
    shape: Shape, workload: Workload, placement: Placement, cards: Sequence[tuple[Part, ...]]
) -> tuple[Part, ...]:
    """The parts of all cards together."""
    layers = tuple(layer for layers in placement.cards for layer in layers)
    return _parts(
        *_kept(shape, workload, layers),
        _over_cards([card[2].terms for card in cards]),
        cards[0][3].terms,
    )


def _parts(*terms: Terms) -> tuple[Part, ...]:
    keys = ("kv_cache", "state", "compute", "vision")
    return tuple(Part(key=key, terms=of_part) for key, of_part in zip(keys, terms, strict=True))


def _over_cards(compute: Sequence[Terms]) -> Terms:
    *others, last = compute
    if not others:
        return last
    rest = sum(_sum(terms) for terms in others)
    return (Term("other_cards_at_work", {"cards": len(others)}, rest), *last)


def _in_ram(shape: Shape, workload: Workload, setting: Setting, placement: Placement) -> tuple[Part, ...]:
    first, _ = split(placement, shape.num_layers)
    compute = host_terms(shape, workload, setting, first, copies_of(placement)) + result_terms(
        shape, output_rows(workload)
    )
    if workload.mtp:
        compute += draft_host(shape, workload_of(shape, workload), placement)
    parts = [Part(key="compute", terms=compute)]
    if placement.ram:
        cache, state = _kept(shape, workload, placement.ram)
        parts += [Part(key="kv_cache", terms=cache), Part(key="state", terms=state)]
    if workload.vision and workload.mmproj_in_ram:
        parts.append(Part(key="vision", terms=vision_terms(shape)))
    return tuple(parts)


def _sum(terms: Terms) -> int:
    return sum(term.bytes for term in terms)
