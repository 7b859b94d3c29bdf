"""What llama.cpp puts on each of several cards: as its server does, and by hand for more cards than that was asked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from calculator.memory import Workload, WorkloadError, estimate
from tests.calculator.memory.cards import cards_of
from tests.calculator.memory.llama_70b import CELL, HIDDEN, MATRICES, NORMS, TABLE, TOKENS
from tests.calculator.memory.shapes import published, reference, tiny_llama

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


LLAMA_CPP: list[tuple[int, int | None, list[int]]] = [
    # cards, --gpu-layers, layers of each card: layer l of those on n cards goes where l / (layers + 1) falls
    # (`load_tensors` in llama.cpp's src/llama-model.cpp: `upper_bound` over equal splits; the output layer counts)
    (1, None, [80]),
    (2, None, [41, 39]),
    (4, None, [21, 20, 20, 19]),
    (8, None, [11, 10, 10, 10, 10, 10, 10, 9]),
    (2, 41, [21, 19]),
    (2, 40, [20, 19]),
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


def test_an_output_layer_alone_on_the_cards_lies_on_the_first() -> None:
    """It is the first of one layer there: 0 / 1 is below every share (`get_layer_buft_list`)."""
    held = cards_of(published("llama-3-3-70b-instruct"), Workload(pipeline_parallel=2, gpu_layers=1))
    assert held[0]["weights"] > held[1]["weights"] == 0


@pytest.mark.parametrize(
    ("split", "layers", "output"),
    [
        # 81 layers with the output: layer l lies on the first card whose share, summed up, is beyond l / 81
        ((3, 1), [61, 19], 1),  # 60 / 81 = 0.741, 61 / 81 = 0.753
        ((1, 1), [41, 39], 1),
        ((20, 20, 41), [20, 20, 40], 2),
        ((1, 0), [80, 0], 0),  # the output layer too
        ((99, 1), [80, 0], 0),  # it is layer 80, and 80 / 81 = 0.988
        ((0, 1), [0, 80], 1),
        ((0, 0), [41, 39], 1),  # llama.cpp passes over shares of nothing
        ((1e-46, 1e-46), [41, 39], 1),  # half the least number of 32 bits is 7e-46: nothing, too
    ],
)
def test_shares_of_the_cards(split: tuple[float, ...], layers: list[int], output: int) -> None:
    """`get_layer_buft_list` in llama.cpp's `src/llama-model.cpp`."""
    shape = published("llama-3-3-70b-instruct")
    answer = estimate(shape, Workload(weight_format="Q8_0", tensor_split=split))
    layer, table = MATRICES // 32 * 34 + 4 * NORMS, TABLE // 32 * 34 + 4 * HIDDEN
    wanted = [number * layer for number in layers]
    wanted[output] += table
    assert [card["weights"] for card in answer.cards] == wanted
    assert answer.workload.pipeline_parallel == len(split)


def test_equal_shares_are_what_nothing_said_means() -> None:
    shape = published("qwen3-30b-a3b")
    assert (
        estimate(shape, Workload(tensor_split=(2, 2, 2))).cards == estimate(shape, Workload(pipeline_parallel=3)).cards
    )


@pytest.mark.parametrize(
    ("asked", "key"),
    [
        ({"tensor_split": (1, 1, 1), "pipeline_parallel": 2}, "shares_of_other_cards"),
        ({"tensor_split": (1.0, -1.0)}, "not_shares"),
        ({"tensor_split": (1.0, float("nan"))}, "not_shares"),
        ({"tensor_split": (1.0,) * 16}, "too_many_cards"),
    ],
)
def test_what_are_no_shares_is_refused(asked: dict[str, Any], key: str) -> None:
    with pytest.raises(WorkloadError) as caught:
        estimate(published("llama-3-3-70b-instruct"), Workload(**asked))
    assert (caught.value.field, caught.value.key) == ("tensor_split", key)


def test_a_layer_lies_on_each_card_at_least() -> None:
    with pytest.raises(WorkloadError, match="more_stages_than_layers"):
        estimate(tiny_llama(num_hidden_layers=2), Workload(pipeline_parallel=3))


def test_an_encoder_in_ram_leaves_the_card() -> None:
    """`--no-mmproj-offload`"""
    shape = published("gemma-3-4b-it")
    on_card, in_ram = (estimate(shape, Workload(vision=True, mmproj_in_ram=held)) for held in (False, True))
    assert in_ram.part("vision").bytes == 0
    assert [p.bytes for p in in_ram.host if p.key == "vision"] == [on_card.part("vision").bytes]
    assert in_ram.total_bytes == estimate(shape, Workload()).total_bytes


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
