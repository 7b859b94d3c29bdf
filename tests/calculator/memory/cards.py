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
from calculator.memory.stages import stages
from calculator.memory.transformers import cache as transformers_cache
from calculator.memory.transformers import weights as transformers_weights
from calculator.memory.vllm.cache import cache_terms as vllm_cache
from calculator.memory.vllm.cache import pool
from calculator.memory.vllm.serving import limits, serving
from calculator.memory.vllm.weights import weights as vllm_weights
from calculator.memory.workload import Term

__all__ = ["cards_of"]

Card = dict[str, int]


def cards_of(shape: Shape, workload: Workload) -> list[Card]:
    """Bytes of every part on every card; vLLM's on one rank of each stage, where ranks are alike.

    `kv_cache` holds the state too. What is not listed apart is in `rest`: compute, overhead and encoder.
    """
    answer = estimate(shape, workload)
    held = {"llama.cpp": _llama_cpp, "vllm": _vllm, "transformers": _transformers}[workload.engine]
    cards = held(shape, answer.workload)
    _agree(cards, answer)
    return cards


def _agree(cards: list[Card], answer: Estimate) -> None:
    """The cards are those of the answer: their sums are its parts."""
    ranks = answer.workload.tensor_parallel
    kept = answer.part("kv_cache").bytes + answer.part("state").bytes
    assert sum(card["weights"] for card in cards) * ranks == answer.part("weights").bytes
    assert sum(card["kv_cache"] for card in cards) * ranks == kept


def _sum(terms: tuple[Term, ...]) -> int:
    return sum(term.bytes for term in terms)


def _llama_cpp(shape: Shape, workload: Workload) -> list[Card]:
    placement = place(workload, shape.num_layers)
    held = weigh(shape, workload.weight_format or "", placement)
    shares = run(shape, workload).card_bytes
    cards = []
    for layers, weights, share in zip(placement.cards, held.cards, shares, strict=True):
        kept = _sum(llama_cpp_cache(shape, workload, layers) + llama_cpp_state(shape, workload.sequences, layers))
        cards.append({"weights": _sum(weights), "kv_cache": kept, "rest": share - kept})
    return cards


def _vllm(shape: Shape, workload: Workload) -> list[Card]:
    ranks, depth = workload.tensor_parallel, workload.pipeline_parallel
    held = vllm_weights(shape, workload.weight_format or "", ranks, depth).rank_bytes
    blocks = pool(shape, serving(replace(workload, kv_format=workload.kv_format or "bf16")))
    in_flight = (depth + 1) * limits(workload).batched_tokens
    kept = vllm_cache(blocks, stages(shape.num_layers, depth), workload, in_flight)[2]
    return [{"weights": weights, "kv_cache": cache} for weights, cache in zip(held, kept, strict=True)]


def _transformers(shape: Shape, workload: Workload) -> list[Card]:
    depth, width = workload.pipeline_parallel, transformers_weights.VALUE_BYTES[workload.kv_format or ""]
    weight_format, context, sequences = workload.weight_format or "", workload.context_tokens, workload.sequences
    held = transformers_weights.weights(shape, weight_format, depth).stage_bytes
    places = transformers_weights.placed(shape, weight_format, depth).layers
    caches = transformers_cache.cache_terms(shape, context, sequences, width, places, depth)[1]
    states = transformers_cache.state_terms(shape, sequences, width, places, depth)[1]
    return [
        {"weights": weights, "kv_cache": cache + state}
        for weights, cache, state in zip(held, caches, states, strict=True)
    ]
