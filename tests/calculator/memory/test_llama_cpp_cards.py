"""What llama.cpp puts on each of several cards: as its server does, and by hand for more cards than that was asked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from calculator.memory import Workload, estimate
from tests.calculator.memory.cards import cards_of
from tests.calculator.memory.llama_70b import CELL, HIDDEN, MATRICES, NORMS, TABLE, TOKENS
from tests.calculator.memory.shapes import published, reference

MIB = 2**20

# Tensors begin at whole multiples of 128 bytes, so a card holds up to so much more than its tensors: Gemma 4 31B.
ALIGNMENT_MIB = 0.0414
PRINTED_MIB = 0.0001


@pytest.mark.parametrize(
    "line", reference("llama_cpp_cards.jsonl"), ids=lambda line: f"{line['config']}-{line.get('n_cpu_moe', 0)}"
)
def test_two_cards_as_llama_server_fills_them(line: dict[str, Any]) -> None:
    name, experts = line["config"], line.get("n_cpu_moe", 0)
    shape = published(name)
    workload = Workload(
        weight_format="Q4_K_M", context_tokens=line["context"], pipeline_parallel=2, cpu_expert_layers=experts
    )
    first, last = cards_of(shape, workload)
    weights = [first["weights"] / MIB, last["weights"] / MIB]
    for ours, theirs in zip(weights, line["model_mib"], strict=True):
        assert -PRINTED_MIB <= theirs - ours <= ALIGNMENT_MIB
    contexts = [card["kv_cache"] / MIB for card in (first, last)]
    assert contexts == pytest.approx(line["context_mib"], abs=PRINTED_MIB)
    in_ram = estimate(shape, workload).host[0].bytes / MIB
    assert -PRINTED_MIB <= line["ram_mib"] - in_ram <= ALIGNMENT_MIB


LLAMA_CPP = [
    # cards, --gpu-layers, layers of each card: layer l of those on n cards goes where l / (layers + 1) falls
    # (`load_tensors` in llama.cpp's src/llama-model.cpp: `upper_bound` over equal splits; the output layer counts)
    (1, None, [80]),
    (2, None, [41, 39]),
    (4, None, [21, 20, 20, 19]),
    (8, None, [11, 10, 10, 10, 10, 10, 10, 9]),
    (2, 41, [21, 19]),
    (2, 40, [20, 19]),
    (2, 1, [0, 0]),
]


@pytest.mark.parametrize(("cards", "gpu_layers", "layers"), LLAMA_CPP)
def test_llama_cpp_deals_out_layers_and_gives_the_last_card_the_output(
    cards: int, gpu_layers: int | None, layers: list[int]
) -> None:
    """Q8_0: 34 bytes for 32 weights; norms in 32 bits. The token embeddings stay in RAM."""
    workload = Workload(
        weight_format="Q8_0", context_tokens=TOKENS, pipeline_parallel=cards, gpu_layers=gpu_layers, sequences=2
    )
    answer = estimate(published("llama-3-3-70b-instruct"), workload)
    layer = MATRICES // 32 * 34 + 4 * NORMS
    output = TABLE // 32 * 34 + 4 * HIDDEN
    weights = [number * layer for number in layers]
    weights[-1] += output
    held = cards_of(published("llama-3-3-70b-instruct"), workload)
    assert [card["weights"] for card in held] == weights
    assert [card["kv_cache"] for card in held] == [number * 2 * TOKENS * CELL * 2 for number in layers]
    assert answer.per_card_bytes == max(sum(card.values()) for card in held)


def test_llama_cpp_counts_what_every_card_has_of_its_own() -> None:
    """A CUDA context and a workspace (564 + 139 MiB) on each; the encoder and its graph on the first alone."""
    shape = published("gemma-3-27b-it")
    for cards in (1, 2, 4, 8):
        workload = Workload(pipeline_parallel=cards)
        blind, seeing = (cards_of(shape, Workload(pipeline_parallel=cards, vision=vision)) for vision in (False, True))
        assert estimate(shape, workload).part("overhead").bytes == cards * (564 + 139) * MIB
        vision = estimate(shape, Workload(pipeline_parallel=cards, vision=True)).part("vision").bytes
        grown = [after["rest"] - before["rest"] for after, before in zip(seeing, blind, strict=True)]
        assert grown == [vision] + [0] * (cards - 1)


@pytest.mark.parametrize("name", ["gemma-3-1b-it", "smollm2-135m-instruct", "llama-3-3-70b-instruct"])
def test_llama_cpp_works_on_the_output_on_the_last_card(name: str) -> None:
    """llama-server's own compute buffers grow from the first card to the last: 188 and 197 MiB, 49 and 53 MiB."""
    first, last = cards_of(published(name), Workload(pipeline_parallel=2))
    assert last["rest"] > first["rest"]


@pytest.mark.parametrize(
    ("workload", "copies"),
    [
        (Workload(), 1),
        (Workload(pipeline_parallel=2), 4),
        (Workload(pipeline_parallel=8), 4),
        (Workload(pipeline_parallel=2, gpu_layers=60), 1),
    ],
)
def test_cards_in_a_pipeline_keep_four_masks(workload: Workload, copies: int) -> None:
    """`GGML_SCHED_MAX_COPIES`: several micro-batches are under way, unless layers stay in RAM (`llama_context`).

    A mask has 16 bits for each of the micro-batch's 512 tokens and each cell. The first card is
    left out where layers stay in RAM: it is handed their keys and values too.
    """
    shape, short, long = published("llama-3-3-70b-instruct"), 65_536, 131_072
    few, many = (cards_of(shape, replace(workload, context_tokens=tokens)) for tokens in (short, long))
    first = 0 if workload.gpu_layers is None else 1
    for before, after in zip(few[first:], many[first:], strict=True):
        assert after["rest"] - before["rest"] == copies * 2 * 512 * (long - short)
