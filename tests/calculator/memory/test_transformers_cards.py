"""What each of several cards holds in transformers, by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from calculator.architecture import read_config
from calculator.memory import Workload, estimate
from calculator.memory.transformers.weights import placed
from tests.calculator.memory.cards import cards_of
from tests.calculator.memory.llama_70b import CELL, HIDDEN, MATRICES, NORMS, TABLE, TOKENS, VOCABULARY
from tests.calculator.memory.shapes import published

MIB = 2**20
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
    at_work = 2 * 2 * TOKENS * (3 * HIDDEN + 3 * 28_672)  # the whole prompt of both sequences in one pass
    logits = 2 * VOCABULARY * 4
    assert answer.part("compute").bytes == cards * at_work
    assert answer.part("overhead").bytes == cards * (300 + 64) * MIB + logits
    shares = [sum(card.values()) + at_work + (300 + 64) * MIB for card in held]
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
