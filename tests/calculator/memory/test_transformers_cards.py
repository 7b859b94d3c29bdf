"""What each of several cards holds in transformers, by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from calculator.architecture import read_config
from calculator.memory import Workload, estimate
from calculator.memory.transformers.device_map import DeviceMap, device_map
from calculator.memory.transformers.weights import placed
from tests.calculator.memory.cards import cards_of
from tests.calculator.memory.llama_70b import CELL, HIDDEN, MATRICES, NORMS, TABLE, TOKENS, VOCABULARY
from tests.calculator.memory.shapes import published

MIB = 2**20
BESIDE = (696 + 32) * MIB  # context, kernels and cuBLAS on a card of 132 multiprocessors
# layers of each card as accelerate deals them out: `tests/reference/device_map.jsonl`
TRANSFORMERS = [(1, [80]), (2, [40, 40]), (4, [19, 21, 21, 19]), (8, [9, 11, 11, 11, 11, 11, 11, 5])]


@pytest.mark.parametrize(("cards", "layers"), TRANSFORMERS)
def test_transformers_deals_out_layers(cards: int, layers: list[int]) -> None:
    """BF16, `device_map="auto"`: embeddings on the first card, final norm and output head on the last."""
    workload = Workload(engine="transformers", pipeline_parallel=cards, sequences=2)
    answer = estimate(published("llama-3-3-70b-instruct"), workload)
    weights = [number * 2 * (MATRICES + NORMS) for number in layers]
    weights[0] += 2 * TABLE
    weights[-1] += 2 * TABLE + 2 * HIDDEN
    held = cards_of(published("llama-3-3-70b-instruct"), workload)
    assert [card["weights"] for card in held] == weights
    assert [card["kv_cache"] for card in held] == [number * 2 * TOKENS * CELL * 2 for number in layers]
    at_work = 2 * 2 * TOKENS * (4 * HIDDEN + 3 * 28_672 + 2 * 128)  # the whole prompt of both sequences in one pass
    logits = 2 * VOCABULARY * 4
    assert answer.part("compute").bytes == cards * at_work
    assert answer.part("overhead").bytes == cards * BESIDE + logits
    shares = [sum(card.values()) + at_work + BESIDE for card in held]
    shares[-1] += logits
    assert answer.per_card_bytes == max(shares)


ROOT = Path(__file__).parents[3]
ANSWERS = [json.loads(line) for line in (ROOT / "tests/reference/device_map.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: f"{answer['config']}-{answer['cards']}")
def test_cards_hold_what_accelerate_puts_there(answer: dict[str, Any]) -> None:
    (path,) = (ROOT / "catalog/data/models").glob(f"*/{answer['config']}/config.json")
    config = json.loads(path.read_text(encoding="utf-8"))
    config.pop("quantization_config", None)
    shape = read_config(config)
    places = placed(shape, "BF16", answer["cards"])
    assert [places.layers.count(card) for card in range(answer["cards"])] == answer["layers"]
    assert places.before == answer["embed_tokens"]
    assert "norm" not in answer or places.after[0] == answer["norm"]
    assert shape.tied_embeddings or places.after[-1] == answer["lm_head"]


@pytest.mark.parametrize(
    ("before", "layers", "after", "modules", "cards", "expected"),
    [
        # 96 bytes on two cards: a share of 48 and five quarters of the first layer, 60. The first keeps room for the
        # largest part to come, 10, and is full with the embeddings and four layers, to the byte.
        (10, [10] * 8, (1, 5), 50, 2, DeviceMap((0, 0, 0, 0, 1, 1, 1, 1), 0, (1, 1))),
        # three cards: 32 + 12, and 34 on the first
        (10, [10] * 8, (1, 5), 50, 3, DeviceMap((0, 0, 1, 1, 1, 1, 2, 2), 0, (2, 2))),
        # the second of three is full to the byte: 86 // 3 + 12 = 40
        (4, [10] * 8, (1, 1), 50, 3, DeviceMap((0, 0, 1, 1, 1, 1, 2, 2), 0, (2, 2))),
        # few modules: a mean of 24 in place of a first layer of 10, so 48 + 30, and 68 on the first
        (10, [10] * 8, (1, 5), 4, 2, DeviceMap((0, 0, 0, 0, 0, 1, 1, 1), 0, (1, 1))),
        # a small first layer makes the room small: 80 // 2 + 5 = 45, and 35 on the first
        (10, [4, *[10] * 6], (1, 5), 50, 2, DeviceMap((0, 0, 0, 1, 1, 1, 1), 0, (1, 1))),
        # a large head: 130 // 2 + 12 = 77, less the 39 of the head
        (10, [10] * 8, (1, 39), 50, 2, DeviceMap((0, 0, 1, 1, 1, 1, 1, 1), 0, (1, 1))),
        # the largest part comes next, and leaves no room for itself
        (10, [10, 40, 10, 10], (1, 5), 50, 2, DeviceMap((1, 1, 1, 1), 0, (1, 1))),
        (10, [10] * 8, (6,), 50, 1, DeviceMap((0,) * 8, 0, (0,))),
    ],
)
def test_the_rule_of_accelerate(
    before: int, layers: list[int], after: tuple[int, ...], modules: int, cards: int, expected: DeviceMap
) -> None:
    assert device_map(before, layers, after, modules, cards) == expected


@pytest.mark.parametrize("cards", [1, 2, 4])
@pytest.mark.parametrize("vision", [False, True])
def test_an_encoder_lies_on_the_first_card_and_the_logits_on_the_last(cards: int, vision: bool) -> None:
    shape = published("gemma-3-27b-it")
    answer = estimate(shape, Workload(engine="transformers", pipeline_parallel=cards, vision=vision))
    fixed = answer.part("compute").bytes // cards + BESIDE
    shares = [sum(card.values()) + fixed for card in cards_of(shape, answer.workload)]
    shares[0] += answer.part("vision").bytes
    shares[-1] += 262_208 * 4
    assert answer.per_card_bytes == max(shares)
    assert answer.total_bytes == sum(shares)


def test_a_head_may_have_a_card_of_its_own() -> None:
    """Qwen3 8B on eight cards: the seventh ends with the final norm, the eighth holds 151,936 x 4,096 and no layer."""
    shape, table = published("qwen3-8b"), 2 * 151_936 * 4_096
    workload = Workload(engine="transformers", pipeline_parallel=8, context_tokens=1, sequences=2**16)
    cards = cards_of(shape, workload)
    layer = 2 * (4_096 * (2 * 32 * 128 + 2 * 8 * 128 + 3 * 12_288) + 2 * 4_096 + 2 * 128)
    assert (cards[7]["weights"], cards[7]["kv_cache"]) == (table, 0)
    assert cards[6]["weights"] % layer == 2 * 4_096
    assert cards[0]["weights"] % layer == table % layer
    at_work = 2 * 2**16 * (4 * 4_096 + 3 * 12_288 + 2 * 128)
    logits = 4 * 2**16 * 151_936  # where the head is, and here the most that any card holds
    assert estimate(shape, workload).per_card_bytes == table + at_work + BESIDE + logits
