"""What each of several cards holds, worked out from the config: splits of which no engine's own answer is at hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from calculator.accuracy.cases import reference_config
from calculator.architecture import read_config
from calculator.memory import Workload, estimate
from tests.calculator.memory.cards import cards_of
from tests.calculator.memory.shapes import catalogued, published

MIB = 2**20

# Llama 3.3 70B (config.json): 80 layers of 64 heads and 8 key/value heads of 128, hidden size 8,192, not tied.
LAYERS, HIDDEN, VOCABULARY = 80, 8_192, 128_256
MATRICES = HIDDEN * (2 * 64 * 128 + 2 * 8 * 128 + 3 * 28_672)  # q and o, k and v, gate, up and down
NORMS = 2 * HIDDEN
TABLE = VOCABULARY * HIDDEN  # token embeddings, and as many for the output layer
CELL = 2 * 8 * 128  # keys and values of a token and layer
TOKENS = 8_192
ROTARY = 131_072 * 128 * 2  # vLLM keeps cosines and sines of all 131,072 positions, in 16 bits

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
    if gpu_layers is not None:  # the largest matrix in RAM visits the first card
        held[0]["rest"] += 28_672 * HIDDEN // 32 * 34
    assert answer.per_card_bytes == max(sum(card.values()) for card in held)


def test_llama_cpp_counts_what_every_card_has_of_its_own() -> None:
    """A CUDA context and a workspace (619 MiB) on each; the encoder and its graph on the first alone."""
    shape = published("gemma-3-27b-it")
    for cards in (1, 2, 4, 8):
        workload = Workload(pipeline_parallel=cards)
        blind, seeing = (cards_of(shape, Workload(pipeline_parallel=cards, vision=vision)) for vision in (False, True))
        assert estimate(shape, workload).part("overhead").bytes == cards * (555 + 64) * MIB
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

    A mask has 16 bits for each of the micro-batch's 512 tokens and each cell.
    """
    shape, short, long = published("llama-3-3-70b-instruct"), 65_536, 131_072
    few, many = (cards_of(shape, replace(workload, context_tokens=tokens)) for tokens in (short, long))
    for before, after in zip(few, many, strict=True):
        assert after["rest"] - before["rest"] == copies * 2 * 512 * (long - short)


VLLM = [
    # tensor parallel, layers of each stage (`get_pp_indices` in vLLM's distributed/utils.py), bytes at work on a rank
    # (2,048 tokens: 3 x hidden + 3 x feed-forward / ranks, in 16 bits; or 256 rows of logits at 6 bytes)
    (1, [80], 2 * 2_048 * (3 * HIDDEN + 3 * 28_672)),
    (2, [80], 2 * 2_048 * (3 * HIDDEN + 3 * 14_336)),
    (4, [80], 6 * 256 * VOCABULARY),
    (8, [80], 6 * 256 * VOCABULARY),
    (1, [40, 40], 2 * 2_048 * (3 * HIDDEN + 3 * 28_672)),
    (2, [20, 20, 20, 20], 2 * 2_048 * (3 * HIDDEN + 3 * 14_336)),
    (1, [11, 11, 11, 12, 12, 12, 11], 2 * 2_048 * (3 * HIDDEN + 3 * 28_672)),
]


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
    assert answer.part("compute").bytes == at_work * ranks * depth
    # CUDA context and workspaces, NCCL where there is more than one card, 51 captured sizes of every layer and one more
    fixed = (300 + 100 + (100 if ranks * depth > 1 else 0)) * MIB
    overhead = [fixed + (number + 1) * 51 * MIB // 2 for number in layers]
    assert answer.part("overhead").bytes == ranks * sum(overhead)
    shares = [sum(card.values()) + at_work + own for card, own in zip(held, overhead, strict=True)]
    assert answer.per_card_bytes == max(shares)


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
    [(1, 2_048, 4_096), (2, 2_048, 6_144), (4, 2_048, 10_240), (2, 11, 33)],  # 1,023 + 33 tokens: 66 whole blocks
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


TRANSFORMERS = [(1, [80]), (2, [40, 40]), (4, [20, 20, 20, 20]), (8, [10] * 8)]


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


@pytest.mark.parametrize("engine", ["vllm", "transformers"])
def test_an_encoder_lies_on_the_first_card(engine: str) -> None:
    """Gemma 3 4B with a layer less, so that the first of two cards has one more than the last and is the fullest."""
    config = reference_config("gemma-3-4b-it")
    text = config["text_config"]
    assert isinstance(text, dict)
    shape = read_config(
        {**config, "text_config": {**text, "num_hidden_layers": 33, "layer_types": text["layer_types"][:33]}}
    )
    blind, seeing = (
        estimate(shape, Workload(engine=engine, pipeline_parallel=2, vision=vision)) for vision in (False, True)
    )
    encoder = seeing.part("vision").bytes
    assert encoder == 2 * sum(tensor.elements for tensor in shape.tensors_of("vision"))
    assert seeing.per_card_bytes - blind.per_card_bytes == encoder
    assert seeing.total_bytes - blind.total_bytes == encoder
