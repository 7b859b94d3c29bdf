"""Everything but weights and overhead: what a context of llama.cpp allocates, on the cards and in RAM."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from calculator.architecture.shape import Shape
from calculator.memory.llama_cpp.batch import slot_count
from calculator.memory.llama_cpp.cache import cache_bytes, cache_terms
from calculator.memory.llama_cpp.compute import card_bytes as compute_bytes
from calculator.memory.llama_cpp.compute import card_terms, host_terms, setting_of
from calculator.memory.llama_cpp.draft import draft_cache, draft_compute, draft_host, workload_of
from calculator.memory.llama_cpp.graph import Setting, copies_of
from calculator.memory.llama_cpp.overhead import result_terms
from calculator.memory.llama_cpp.placement import Placement
from calculator.memory.llama_cpp.prediction import output_rows, snapshots, split
from calculator.memory.llama_cpp.state import state_bytes, state_terms
from calculator.memory.llama_cpp.vision import vision_terms
from calculator.memory.workload import Part, Term, Workload

Terms = tuple[Term, ...]


class Running(NamedTuple):
    parts: tuple[Part, ...]  # kv_cache, state, compute, vision
    host: tuple[Part, ...]  # compute; kv_cache and state where layers stay in RAM
    cards: tuple[Sizes, ...]


class Sizes(NamedTuple):
    """What each of `Running.parts` adds up to on one card."""

    kv_cache: int
    state: int
    compute: int
    vision: int


class _Contexts(NamedTuple):
    """The context of the model and that of its prediction layers: where the layers of each lie, and its settings."""

    shape: Shape
    workload: Workload
    setting: Setting
    first: Placement
    second: Placement
    drafting: Workload | None  # of the second context, where there is one
    copies: int


@lru_cache(maxsize=512)
def run(shape: Shape, workload: Workload, placement: Placement) -> Running:
    """The weight format matters where weights lie in RAM and are copied to a card; else it may be left out, as may
    what is known of the card, and the split that the placement says."""
    of, several = _contexts(shape, workload, placement), len(placement.cards) > 1
    cards = sizes(shape, workload, placement) if several else ()
    layers, drafting_layers = (tuple(chain.from_iterable(each.cards)) for each in (of.first, of.second))
    compute = _over_cards(of, cards) if several else _at_work(of, 0)
    keys, terms = Sizes._fields, (*_kept(of, layers, drafting_layers), compute, _encoder(shape, workload))
    parts = tuple(Part(key=key, terms=of_part) for key, of_part in zip(keys, terms, strict=True))
    return Running(
        parts=parts,
        host=_in_ram(of),
        cards=cards or (Sizes(*(part.bytes for part in parts)),),
    )


@lru_cache(maxsize=4096)
def sizes(shape: Shape, workload: Workload, placement: Placement) -> tuple[Sizes, ...]:
    """Of each card in `run`, without saying why: in a fraction of the time, but for a workload that guesses ahead."""
    of = _contexts(shape, workload, placement)
    number = len(of.first.cards)
    if of.drafting:
        compute = [_sum(_at_work(of, card)) for card in range(number)]
    else:
        compute = compute_bytes(shape, workload, of.setting, of.first, range(number), of.copies)
    caches, states, encoder = _kept_bytes(shape, workload, of.first, of.second, of.drafting)
    return tuple(map(Sizes, caches, states, compute, encoder))


def sizes_at_rest(shape: Shape, workload: Workload, placement: Placement) -> tuple[Sizes, ...]:
    """As `sizes`, but for the compute buffers, which alone take a graph to tell: 0."""
    first, second = split(placement, shape.num_layers)
    caches, states, encoder = _kept_bytes(shape, workload, first, second, _drafting(shape, workload))
    return tuple(map(Sizes, caches, states, (0 for _ in first.cards), encoder))


def _kept_bytes(
    shape: Shape, workload: Workload, first: Placement, second: Placement, drafting: Workload | None
) -> tuple[Sequence[int], Sequence[int], Sequence[int]]:
    """Cache, state and encoder on each card."""
    caches = cache_bytes(shape, workload, first)
    if drafting:
        more = (_sum(draft_cache(shape, drafting, layers)) for layers in second.cards)
        caches = [own + others for own, others in zip(caches, more, strict=True)]
    states = state_bytes(shape, slot_count(workload), first, snapshots(shape, workload))
    return caches, states, (_sum(_encoder(shape, workload)), *(0 for _ in first.cards[1:]))


def _contexts(shape: Shape, workload: Workload, placement: Placement) -> _Contexts:
    first, second = split(placement, shape.num_layers)
    setting = setting_of(shape, workload, first)
    return _Contexts(shape, workload, setting, first, second, _drafting(shape, workload), copies_of(placement))


def _drafting(shape: Shape, workload: Workload) -> Workload | None:
    return workload_of(shape, workload) if workload.mtp else None


def _encoder(shape: Shape, workload: Workload) -> Terms:
    """The encoder of images, on the first card."""
    return vision_terms(shape) if workload.vision and not workload.mmproj_in_ram else ()


def kept_terms(shape: Shape, workload: Workload, placement: Placement) -> Terms:
    """Cache and state of the model's own layers, on all cards together."""
    layers = tuple(chain.from_iterable(split(placement, shape.num_layers)[0].cards))
    state = state_terms(shape, slot_count(workload), layers, snapshots(shape, workload))
    return cache_terms(shape, workload, layers) + state


def _kept(of: _Contexts, layers: tuple[int, ...], drafting_layers: tuple[int, ...]) -> tuple[Terms, Terms]:
    """Cache and state of these layers of either context."""
    cache = cache_terms(of.shape, of.workload, layers)
    if of.drafting:
        cache += draft_cache(of.shape, of.drafting, drafting_layers)
    return cache, state_terms(of.shape, slot_count(of.workload), layers, snapshots(of.shape, of.workload))


def _at_work(of: _Contexts, card: int) -> Terms:
    """The compute buffers of one card."""
    compute = card_terms(of.shape, of.workload, of.setting, of.first, card, of.copies)
    return compute + draft_compute(of.shape, of.drafting, of.second, card, of.copies) if of.drafting else compute


def _over_cards(of: _Contexts, cards: Sequence[Sizes]) -> Terms:
    """The compute buffers of all cards: what the others come to, and why the last one is that large."""
    *others, _ = cards
    rest = sum(card.compute for card in others)
    return (Term("other_cards_at_work", {"cards": len(others)}, rest), *_at_work(of, len(others)))


def _in_ram(of: _Contexts) -> tuple[Part, ...]:
    shape, workload = of.shape, of.workload
    compute = host_terms(shape, workload, of.setting, of.first, of.copies)
    compute += result_terms(shape, output_rows(workload))
    if of.drafting:
        compute += draft_host(shape, of.drafting, of.second, of.copies)
    parts = [Part(key="compute", terms=compute)]
    if of.first.ram or of.second.ram:
        cache, state = _kept(of, of.first.ram, of.second.ram)
        parts += [Part(key="kv_cache", terms=cache), Part(key="state", terms=state)]
    if workload.vision and workload.mmproj_in_ram:
        parts.append(Part(key="vision", terms=vision_terms(shape)))
    return tuple(parts)


def _sum(terms: Terms) -> int:
    return sum(term.bytes for term in terms)
