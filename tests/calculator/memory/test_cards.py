"""What each of several cards holds: as the engines' own code answers, and by hand from the config where it does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from calculator.architecture import Shape
from calculator.architecture.shape import Attention, LatentAttention
from calculator.memory import Workload, capacity, estimate
from tests.calculator.memory.cards import cards_of
from tests.calculator.memory.shapes import catalogued, published

REFERENCE = Path(__file__).resolve().parents[2] / "reference"
MIB = 2**20


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (REFERENCE / name).read_text(encoding="utf-8").splitlines()]


# Tensors begin at whole multiples of 128 bytes, so a card holds up to so much more than its tensors: Gemma 4 31B.
ALIGNMENT_MIB = 0.0414
PRINTED_MIB = 0.0001
# The projection of per-layer embeddings (2,560 x 10,752 in 16 bits) lies with the first layer; here with the output.
PER_LAYER_PROJECTION_MIB = {"gemma-4-e4b-it": 52.5}
# The biases of experts stay in RAM with their experts; here they stay on the card: 18 and 12 layers of 128 and 32
# experts with 3 x 2,880 biases in 32 bits.
EXPERT_BIASES_MIB = {"gpt-oss-120b": 18 * 128 * 3 * 2_880 * 4 / MIB, "gpt-oss-20b": 12 * 32 * 3 * 2_880 * 4 / MIB}


@pytest.mark.parametrize(
    "line", lines("llama_cpp_cards.jsonl"), ids=lambda line: f"{line['config']}-{line.get('n_cpu_moe', 0)}"
)
def test_two_cards_as_llama_server_fills_them(line: dict[str, Any]) -> None:
    name, experts = line["config"], line.get("n_cpu_moe", 0)
    shape = published(name)
    workload = Workload(
        weight_format="Q4_K_M", context_tokens=line["context"], pipeline_parallel=2, cpu_expert_layers=experts
    )
    first, last = cards_of(shape, workload)
    moved = PER_LAYER_PROJECTION_MIB.get(name, 0)
    kept = EXPERT_BIASES_MIB.get(name, 0) if experts else 0
    weights = [first["weights"] / MIB + moved - kept, last["weights"] / MIB - moved]
    for ours, theirs in zip(weights, line["model_mib"], strict=True):
        assert -PRINTED_MIB <= theirs - ours <= ALIGNMENT_MIB
    contexts = [card["kv_cache"] / MIB for card in (first, last)]
    assert contexts == pytest.approx(line["context_mib"], abs=PRINTED_MIB)
    in_ram = estimate(shape, workload).host[0].bytes / MIB + kept
    assert -PRINTED_MIB <= line["ram_mib"] - in_ram <= ALIGNMENT_MIB


def model(name: str) -> Shape:
    return catalogued(name) if "/" in name else published(name)


ATTENTION_SCALES = 6 * 4
"""Six f32 that every attention layer keeps for quantised caches, used or not (`attention/attention.py`)."""

RANKS = lines("vllm_ranks.jsonl")


@pytest.mark.parametrize(
    "line",
    [line for line in RANKS if "weights_bytes" in line],
    ids=lambda line: f"{line['config']}-{line['tensor_parallel']}",
)
def test_weights_of_a_rank_as_vllm_loads_them(line: dict[str, Any]) -> None:
    shape, ranks = model(line["config"]), line["tensor_parallel"]
    (rank,) = cards_of(shape, Workload(engine="vllm", tensor_parallel=ranks))
    attending = sum(isinstance(m, (Attention, LatentAttention)) for layer in shape.layers for m in layer.mixers)
    assert rank["weights"] + attending * ATTENTION_SCALES == line["weights_bytes"]


@pytest.mark.parametrize(
    "line", RANKS, ids=lambda line: f"{line['config']}-{line['tensor_parallel']}-{line['kv']}-{line['context']}"
)
def test_blocks_of_a_rank_as_vllm_counts_them(line: dict[str, Any]) -> None:
    """Which groups of layers share a table, how many blocks a request takes of each, and how large a block is."""
    ranks = line["tensor_parallel"]
    workload = Workload(
        engine="vllm",
        kv_format="fp8" if line["kv"] == "fp8" else None,
        context_tokens=line["context"],
        batched_tokens=8_192,
        tensor_parallel=ranks,
    )
    shape = model(line["config"])
    answer = estimate(shape, workload)
    terms = [term for key in ("kv_cache", "state") for term in answer.part(key).terms]
    blocks: list[int] = []
    for term in terms:
        if term.key != "null_block":
            blocks += [int(term.values["blocks"])] * int(term.values["groups"])
    assert sorted(blocks) == sorted(group[-1] for group in line["groups"])
    (empty,) = (term.bytes // ranks for term in terms if term.key == "null_block")
    assert empty == line["block_bytes"]
    (rank,) = cards_of(shape, workload)
    assert rank["kv_cache"] == (1 + sum(blocks)) * line["block_bytes"]


@pytest.mark.parametrize(
    "line",
    [line for line in RANKS if "tokens" in line],
    ids=lambda line: f"{line['config']}-{line['tensor_parallel']}-{line['kv']}-{line['context']}",
)
def test_tokens_that_20_gib_of_a_rank_hold(line: dict[str, Any]) -> None:
    workload = Workload(
        engine="vllm",
        kv_format="fp8" if line["kv"] == "fp8" else None,
        context_tokens=line["context"],
        batched_tokens=8_192,
        tensor_parallel=line["tensor_parallel"],
    )
    pool = capacity(model(line["config"]), workload, 20 * 2**30)
    assert pool is not None
    assert pool.tokens == line["tokens"]
