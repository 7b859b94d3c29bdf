"""Everything but the weights: what a context of llama.cpp allocates, on the cards and in RAM."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from calculator.architecture.shape import Shape
from calculator.memory.llama_cpp.cache import cache_terms
from calculator.memory.llama_cpp.compute import (
    PIPELINE_COPIES,
    host_terms,
    layer_terms,
    output_terms,
    widest_moment,
)
from calculator.memory.llama_cpp.overhead import overhead_terms, result_terms
from calculator.memory.llama_cpp.placement import Placement, place
from calculator.memory.llama_cpp.state import state_terms
from calculator.memory.llama_cpp.vision import vision_terms
from calculator.memory.workload import Part, Term, Workload

Terms = tuple[Term, ...]


class Running(NamedTuple):
    placement: Placement
    parts: tuple[Part, ...]  # kv_cache, state, compute, overhead, vision
    host: tuple[Part, ...]  # compute; kv_cache and state where layers stay in RAM
    card_bytes: tuple[int, ...]  # of `parts`, on each card


@lru_cache(maxsize=4096)
def run(shape: Shape, workload: Workload) -> Running:
    """`workload` without its weight format: every preset runs in the same context."""
    placement = place(workload, shape.num_layers)
    on_cards = [layer for layers in placement.cards for layer in layers]
    compute = [_card_compute(shape, workload, placement, card) for card in range(len(placement.cards))]
    vision = vision_terms(shape) if workload.vision else ()
    overhead = overhead_terms(1)
    shares = []
    for card, layers in enumerate(placement.cards):
        held: Terms = cache_terms(shape, workload, layers) + state_terms(shape, workload.sequences, layers)
        shares.append(_sum(held + compute[card] + overhead + (vision if card == 0 else ())))
    return Running(
        placement=placement,
        parts=(
            Part(key="kv_cache", terms=cache_terms(shape, workload, on_cards)),
            Part(key="state", terms=state_terms(shape, workload.sequences, on_cards)),
            Part(key="compute", terms=_over_cards(compute)),
            Part(key="overhead", terms=overhead_terms(len(placement.cards))),
            Part(key="vision", terms=vision),
        ),
        host=_in_ram(shape, workload, placement),
        card_bytes=tuple(shares),
    )


def _card_compute(shape: Shape, workload: Workload, placement: Placement, card: int) -> Terms:
    """The last card also computes the logits; the first one where the output layer lies in RAM (`--op-offload`)."""
    copies = PIPELINE_COPIES if len(placement.cards) > 1 and not placement.ram else 1
    at_work = layer_terms(shape, workload, copies)
    computes_output = card == (0 if placement.output_in_ram else len(placement.cards) - 1)
    return widest_moment(at_work, output_terms(shape, workload)) if computes_output else at_work


def _over_cards(compute: Sequence[Terms]) -> Terms:
    *others, last = compute
    if not others:
        return last
    each = _sum(others[0])
    return (Term("other_cards_at_work", {"cards": len(others), "each": each}, len(others) * each), *last)


def _in_ram(shape: Shape, workload: Workload, placement: Placement) -> tuple[Part, ...]:
    compute = host_terms(shape, workload) + result_terms(shape, workload.sequences)
    if not placement.ram:
        return (Part(key="compute", terms=compute),)
    at_work = layer_terms(shape, workload)
    if placement.output_in_ram:
        at_work = widest_moment(at_work, output_terms(shape, workload))
    return (
        Part(key="compute", terms=compute + at_work),
        Part(key="kv_cache", terms=cache_terms(shape, workload, placement.ram)),
        Part(key="state", terms=state_terms(shape, workload.sequences, placement.ram)),
    )


def _sum(terms: Terms) -> int:
    return sum(term.bytes for term in terms)
