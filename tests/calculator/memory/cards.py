"""What each card holds, part by part, from what the engines keep per card behind their sums."""

from __future__ import annotations

from dataclasses import replace

from calculator.architecture import Shape
from calculator.memory import Estimate, Workload, estimate
from calculator.memory.llama_cpp.cache import cache_terms as llama_cpp_cache
from calculator.memory.llama_cpp.placement import place
from calculator.memory.llama_cpp.running import run
from calculator.memory.llama_cpp.state import state_terms as llama_cpp_state
from calculator.memory.llama_cpp.weights import weigh
from calculator.memory.workload import Term

__all__ = ["cards_of"]

Card = dict[str, int]


def cards_of(shape: Shape, workload: Workload) -> list[Card]:
    """Bytes of every part on every card; vLLM's on one rank of each stage, where ranks are alike.

    `kv_cache` holds the state too. What is not listed apart is in `rest`: compute, overhead and encoder.
    """
    answer = estimate(shape, workload)
    cards = _told(answer) if answer.cards else _llama_cpp(shape, answer.workload)
    _agree(cards, answer)
    return cards


def _agree(cards: list[Card], answer: Estimate) -> None:
    """The cards are those of the answer: their sums are its parts."""
    ranks = answer.workload.tensor_parallel
    kept = answer.part("kv_cache").bytes + answer.part("state").bytes
    assert sum(card["weights"] for card in cards) * ranks == answer.part("weights").bytes
    assert sum(card["kv_cache"] for card in cards) * ranks == kept


def _told(answer: Estimate) -> list[Card]:
    return [
        {"weights": card["weights"], "kv_cache": card["kv_cache"] + card["state"]}
        for card in answer.cards[:: answer.workload.tensor_parallel]
    ]


def _sum(terms: tuple[Term, ...]) -> int:
    return sum(term.bytes for term in terms)


def _llama_cpp(shape: Shape, workload: Workload) -> list[Card]:
    placement = place(workload, shape.num_layers)
    held = weigh(shape, workload.weight_format or "", placement)
    shares = run(shape, replace(workload, weight_format=None)).card_bytes
    cards = []
    for layers, weights, share in zip(placement.cards, held.cards, shares, strict=True):
        kept = _sum(llama_cpp_cache(shape, workload, layers) + llama_cpp_state(shape, workload.sequences, layers))
        cards.append({"weights": _sum(weights), "kv_cache": kept, "rest": share - kept})
    return cards
