"""Which engine a page of a card begins with, and what it says of an engine before a model is named."""

from __future__ import annotations

import pytest

from calculator.hardware import Card, card_remarks, usual_engine


@pytest.mark.parametrize(
    ("card", "engine"),
    [
        ("rtx-4060", "llama.cpp"),
        ("v100-32gb", "llama.cpp"),
        ("apple-m2-ultra-192gb", "llama.cpp"),
        ("mtt-s4000", "llama.cpp"),  # MUSA is in llama.cpp's own tree
        ("ascend-910b4-32gb", "llama.cpp"),  # CANN, which leaves some formats to the processor
        ("cambricon-mlu370-x8", "vllm"),  # no back end of llama.cpp is known; vllm-mlu
        ("metax-c500-pcie", "vllm"),  # vLLM-metax
        ("hygon-dcu-k100-ai-64gb", "llama.cpp"),  # of none it is known: the first
    ],
)
def test_the_engine_to_begin_with(cards: dict[str, Card], card: str, engine: str) -> None:
    """docs/build.md of llama.cpp; vLLM's list of hardware plug-ins (`SUPPORT` of both)."""
    assert usual_engine(cards[card]) == engine


@pytest.mark.parametrize(
    ("card", "engine", "said"),
    [
        ("rtx-4060", "llama.cpp", []),
        ("ascend-910b4-32gb", "llama.cpp", ["format_on_processor"]),
        ("ascend-910b4-32gb", "vllm", ["engine_by_plugin"]),
        ("cambricon-mlu370-x8", "llama.cpp", ["engine_support_unknown"]),
        ("apple-m2-ultra-192gb", "vllm", ["engine_unsupported"]),
    ],
)
def test_what_a_card_says_of_an_engine(cards: dict[str, Card], card: str, engine: str, said: list[str]) -> None:
    assert [reason.key for reason in card_remarks(cards[card], engine)] == said
