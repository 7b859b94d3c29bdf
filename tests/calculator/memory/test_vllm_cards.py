"""What each of vLLM's ranks holds: as its own code answers, and by hand for pipelines, of which it was not asked."""

from __future__ import annotations

from typing import Any

import pytest

from calculator.architecture import Shape
from calculator.architecture.shape import Attention, LatentAttention
from calculator.memory import Workload, capacity, estimate
from tests.calculator.memory.cards import cards_of
from tests.calculator.memory.llama_70b import CELL, HIDDEN, MATRICES, NORMS, TABLE, TOKENS, VOCABULARY
from tests.calculator.memory.shapes import catalogued, published, reference

MIB = 2**20
ROTARY = 131_072 * 128 * 2  # vLLM keeps cosines and sines of all 131,072 positions, in 16 bits


def model(name: str) -> Shape:
    return catalogued(name) if "/" in name else published(name)


ATTENTION_SCALES = 6 * 4
"""Six f32 that every attention layer keeps for quantised caches, used or not (`attention/attention.py`)."""

RANKS = reference("vllm_ranks.jsonl")


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


VLLM = [
    # tensor parallel, layers of each stage (`get_pp_indices` in vLLM's distributed/utils.py), bytes at work on a rank
    # (2,048 tokens: 3 x hidden + 3 x feed-forward / ranks, in 16 bits), and on the last stage, where it is more, of the
    # sampler (256 rows of logits: 2 bytes, and 4 each as processed, masked and probabilities; the hidden states)
    (1, [80], 2 * 2_048 * (3 * HIDDEN + 3 * 28_672)),
    (2, [80], 2 * 2_048 * (3 * HIDDEN + 3 * 14_336)),
    (4, [80], 2 * 2_048 * (3 * HIDDEN + 3 * 7_168)),
    (8, [80], 2 * 2_048 * (3 * HIDDEN + 3 * 3_584)),
    (1, [40, 40], 2 * 2_048 * (3 * HIDDEN + 3 * 28_672)),
    (2, [20, 20, 20, 20], 2 * 2_048 * (3 * HIDDEN + 3 * 14_336)),
    (1, [11, 11, 11, 12, 12, 12, 11], 2 * 2_048 * (3 * HIDDEN + 3 * 28_672)),
]
SAMPLER = 14 * 256 * VOCABULARY + 2 * 2_048 * HIDDEN
TABLES = 256 * (4 * VOCABULARY + 2 * VOCABULARY // 8 + 4 * (5 * 1_024 - 1_024 + 128 + 129 + 128))


@pytest.mark.parametrize(("ranks", "layers", "at_work"), VLLM)
def test_vllm_splits_tensors_over_ranks_and_layers_over_stages(ranks: int, layers: list[int], at_work: int) -> None:
    """BF16. Embeddings on the first stage, output head on the last, norms and rotary table on every rank."""
    depth = len(layers)
    workload = Workload(engine="vllm", tensor_parallel=ranks, pipeline_parallel=depth, sequences=3)
    answer = estimate(published("llama-3-3-70b-instruct"), workload)
    weights = [number * 2 * (MATRICES // ranks + NORMS) + ROTARY for number in layers]
    weights[0] += 2 * TABLE // ranks
    weights[-1] += 2 * TABLE // ranks + 2 * HIDDEN
    blocks = 3 * TOKENS // 16 + 1  # and the one that stands for "nothing"
    held = cards_of(published("llama-3-3-70b-instruct"), workload)
    assert [card["weights"] for card in held] == weights
    assert [card["kv_cache"] for card in held] == [number * blocks * 16 * CELL // ranks * 2 for number in layers]
    steps = [at_work] * (depth - 1) + [max(at_work, SAMPLER)]
    assert answer.part("compute").bytes == ranks * sum(steps)
    (empty,) = (term for term in answer.part("kv_cache").terms if term.key == "null_block")
    assert (empty.values, empty.bytes) == ({"copies": ranks * depth}, 80 * 16 * CELL * 2)
    # CUDA context and workspaces of an H100, NCCL where there is more than one card
    fixed = (300 + 145 + (440 if ranks * depth > 1 else 0)) * MIB
    # 51 captured sizes of every layer and one more, and 35 whole graphs; the sampler's tables on the last stage
    overhead = [fixed + ((number + 1) * 51 * 400 + number * 35 * 130) * 1_024 for number in layers]
    overhead[-1] += TABLES
    assert answer.part("overhead").bytes == ranks * sum(overhead)
    shares = [sum(card.values()) + step + own for card, step, own in zip(held, steps, overhead, strict=True)]
    assert answer.per_card_bytes == max(shares)
    assert answer.overhead_range_bytes is not None
    assert answer.overhead_range_bytes[0] < max(overhead) < answer.overhead_range_bytes[1]


def test_vllm_keeps_a_tied_embedding_on_both_ends_of_a_pipeline() -> None:
    """Granite 3.1 8B: 40 layers, 4,096 wide, 49,155 words, padded to 64 (`pad_vocab_size`); the last stage's head."""
    embedding = 49_216 * 4_096
    matrices = 4_096 * (2 * 32 * 128 + 2 * 8 * 128 + 3 * 12_800)
    for ranks in (1, 2, 4):
        layer = 2 * (matrices // ranks + 2 * 4_096)
        stage = [layer * 13 + ROTARY, layer * 14 + ROTARY, layer * 13 + ROTARY + 2 * 4_096]
        stage = [stage[0] + 2 * embedding // ranks, stage[1], stage[2] + 2 * embedding // ranks]
        workload = Workload(engine="vllm", tensor_parallel=ranks, pipeline_parallel=3)
        assert [card["weights"] for card in cards_of(published("granite-3-1-8b-instruct"), workload)] == stage


def test_vllm_repeats_a_latent_on_every_rank_of_its_stage() -> None:
    """DeepSeek-V3 on sixteen cards: 31 and 30 layers, each with 512 + 64 values a token whatever the ranks."""
    workload = Workload(engine="vllm", tensor_parallel=8, pipeline_parallel=2)
    first, last = cards_of(catalogued("deepseek/deepseek-v3"), workload)
    blocks = TOKENS // 16 + 1
    assert (first["kv_cache"], last["kv_cache"]) == (31 * blocks * 16 * 576 * 2, 30 * blocks * 16 * 576 * 2)


@pytest.mark.parametrize(
    ("depth", "batched", "in_flight"),
    # 1,023 + 33 tokens are 66 whole blocks, 1,023 + 2 are one token more than 64
    [(1, 2_048, 4_096), (2, 2_048, 6_144), (4, 2_048, 10_240), (2, 11, 33), (1, 1, 2)],
)
def test_vllm_holds_a_window_and_what_is_in_flight(depth: int, batched: int, in_flight: int) -> None:
    """Gemma 3 27B: windows of 1,024 tokens, and a batch for each stage and one ahead (asynchronous scheduling).

    `SlidingWindowSpec.max_admission_blocks_per_request` in v1/kv_cache_interface.py: the window less the token at hand,
    the tokens in flight, and a block more, as a window may begin inside one.
    """
    workload = Workload(engine="vllm", context_tokens=131_072, pipeline_parallel=depth, batched_tokens=batched)
    terms = estimate(published("gemma-3-27b-it"), workload).part("kv_cache").terms
    blocks = {int(term.values["blocks"]) for term in terms if term.key == "blocks_sliding"}
    assert blocks == {-(-(1_024 - 1 + in_flight) // 16) + 1}
