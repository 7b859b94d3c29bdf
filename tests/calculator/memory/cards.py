"""What each card holds, part by part."""

from __future__ import annotations

from collections.abc import Mapping

from calculator.architecture import Shape
from calculator.memory import Estimate, Workload, estimate

__all__ = ["cards_of"]

Card = dict[str, int]


def cards_of(shape: Shape, workload: Workload) -> list[Card]:
    """Bytes on every card; vLLM's on one rank of each stage, where ranks are alike.

    `kv_cache` holds the state too. What is not listed apart is in `rest`: compute, overhead and encoder.
    """
    answer = estimate(shape, workload)
    held = answer.by_card[:: answer.workload.tensor_parallel]
    cards = [_told(card, rest=workload.engine == "llama.cpp") for card in held]
    _agree(cards, answer)
    return cards


def _agree(cards: list[Card], answer: Estimate) -> None:
    """The cards are those of the answer: their sums are its parts."""
    ranks = answer.workload.tensor_parallel
    kept = answer.part("kv_cache").bytes + answer.part("state").bytes
    assert sum(card["weights"] for card in cards) * ranks == answer.part("weights").bytes
    assert sum(card["kv_cache"] for card in cards) * ranks == kept


def _told(card: Mapping[str, int], *, rest: bool) -> Card:
    """With `rest`, all that llama.cpp holds beside; vLLM's ranks are compared part by part."""
    kept = card["kv_cache"] + card["state"]
    told = {"weights": card["weights"], "kv_cache": kept}
    return told | {"rest": sum(card.values()) - card["weights"] - kept} if rest else told
