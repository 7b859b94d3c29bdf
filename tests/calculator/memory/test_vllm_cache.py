"""vLLM's block pool against lines that vLLM printed, and against its own rules."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from calculator.accuracy.references import reference_config
from calculator.architecture import read_config
from calculator.architecture.shape import FullAttention, LinearAttention, SlidingWindowAttention
from calculator.memory import Workload, capacity, estimate
from calculator.memory.vllm.cache import pool
from calculator.memory.vllm.layers import layer_specs
from calculator.memory.vllm.serving import Serving
from calculator.memory.vllm.states import state_bytes
from tests.calculator.memory.shapes import catalogued, made_of, published, tiny_llama

GIB = 2**30


def test_block_of_a_plain_model_by_hand() -> None:
    # 16 tokens x 2 layers x 2 heads x (32 + 32) values x 2 B
    blocks = pool(tiny_llama(), Serving("bf16", 1))
    assert blocks.uniform
    assert blocks.block_bytes(range(2)) == 16 * 2 * 2 * 64 * 2


@pytest.mark.parametrize(("context", "blocks"), [(1, 1), (16, 1), (17, 2), (4096, 256)])
def test_a_sequence_takes_whole_blocks(context: int, blocks: int) -> None:
    answer = estimate(tiny_llama(), Workload(engine="vllm", context_tokens=context, sequences=3))
    block_bytes = 16 * 2 * 2 * 64 * 2
    assert answer.part("kv_cache").bytes == (3 * blocks + 1) * block_bytes  # one more block stands for "nothing"


def test_fp8_halves_the_blocks() -> None:
    wide, narrow = (
        estimate(tiny_llama(), Workload(engine="vllm", kv_format=kv_format)).part("kv_cache").bytes
        for kv_format in ("bf16", "fp8")
    )
    assert wide == 2 * narrow


PRINTED = [
    # name, kv, ranks, GiB of the pool as printed, longest sequence, tokens as printed, origin
    ("qwen3-14b", "bf16", 1, 11.00, 40960, 72064, "public log"),
    ("kimi-k2-thinking", "bf16", 8, 46.80, 262144, 715072, "vllm-project/recipes: latent replicated on every rank"),
    ("qwen3-30b-a3b", "fp8", 1, 4.04, 32768, 88176, "public log"),
]


@pytest.mark.parametrize(
    ("name", "kv", "ranks", "gib", "longest", "tokens", "origin"), PRINTED, ids=[row[0] for row in PRINTED]
)
def test_tokens_in_a_pool_as_printed(
    name: str, kv: str, ranks: int, gib: float, longest: int, tokens: int, origin: str
) -> None:
    workload = Workload(engine="vllm", kv_format=kv, tensor_parallel=ranks, context_tokens=longest)
    least, most = (capacity(published(name), workload, int((gib + step) * GIB)) for step in (-0.005, 0.005))
    assert least is not None
    assert most is not None
    assert least.tokens <= tokens <= most.tokens, origin


def test_a_hybrid_makes_attention_pages_as_large_as_its_state() -> None:
    # Qwen3.8-27B on two RTX 3090: the state is 30,720 B of convolution and 1,572,864 B in f32, a token takes 1,024 B in
    # FP8, so that a block must hold 98 x 16 tokens; 16 attention and 48 linear layers make four groups of 16.
    shape = replace(published("qwen3-8-27b"), state_dtype="float32")
    blocks = pool(shape, Serving("fp8", 2, (8, 6)))
    assert not blocks.uniform
    assert {(group.page_bytes, len(group.layers)) for group in blocks.groups} == {(1568 * 1024, 16)}
    assert len(blocks.groups) == 4


SPARSE = [
    # model, kv, bytes of a block, tokens in 20 GiB: vLLM's own answers, whatever the ranks
    ("deepseek/deepseek-v3-2", "bf16", 5_012_736, 274_176),
    ("zhipu/glm-5", "bf16", 6_409_728, 214_400),
    ("zhipu/glm-5-3", "bf16", 5_928_192, 231_808),  # 21 of its 78 layers have an indexer
    ("deepseek/deepseek-v3", "fp8", 2_248_704, 611_136),
]


@pytest.mark.parametrize(("name", "kv", "size", "tokens"), SPARSE, ids=[row[0] for row in SPARSE])
def test_sparse_and_narrow_latents_come_in_blocks_of_64(name: str, kv: str, size: int, tokens: int) -> None:
    shape = catalogued(name)
    for ranks in (1, 8):
        assert pool(shape, Serving(kv, ranks)).block_bytes(range(shape.num_layers)) == size
        workload = Workload(engine="vllm", kv_format=kv, tensor_parallel=ranks)
        held = capacity(shape, workload, 20 * GIB)
        assert held is not None
        assert held.tokens == tokens


def test_a_sparse_latent_in_fp8_is_a_row_of_656_bytes() -> None:
    """`flashmla_sparse.py`: 512 values, four scales in 32 bits and 64 rotary values in 16; and the indexer's key."""
    shape = catalogued("deepseek/deepseek-v3-2")
    size = 61 * 64 * ((512 + 4 * 4 + 64 * 2) + (128 + 4))
    assert pool(shape, Serving("fp8", 1)).block_bytes(range(61)) == size


def test_layers_that_follow_an_earlier_choice_keep_the_same_latents() -> None:
    """GLM-5.2: 78 sparse layers, of which 21 choose; vLLM's own block of 64 tokens holds 3,452,160 bytes."""
    workload = Workload(engine="vllm", kv_format="fp8", tensor_parallel=4, context_tokens=32_768)
    held = capacity(catalogued("zhipu/glm-5-2"), workload, GIB)
    assert held is not None
    assert held.block_bytes == 3_452_160


@pytest.mark.parametrize(("kv", "width"), [("bf16", 2), ("fp8", 1)])
def test_an_indexer_of_blocks_keeps_a_key_a_token(kv: str, width: int) -> None:
    """MiniMax-M3: 4 heads of keys and values of 128, and in 57 of 60 layers a key of 128 that picks among blocks."""
    specs = [spec.bytes for _layer, spec in layer_specs(catalogued("minimax/minimax-m3"), Serving(kv, 1))]
    assert Counter(specs) == {4 * 256 * width: 60, 128 * width: 57}


FULL = FullAttention(num_heads=4, num_kv_heads=2, head_dim=32, value_head_dim=32)
WINDOW = SlidingWindowAttention(num_heads=4, num_kv_heads=2, head_dim=32, value_head_dim=32, window=64)


@pytest.mark.parametrize(
    ("full", "windowed", "groups"),
    [
        # `_get_kv_cache_groups_uniform_page_size` in v1/core/kv_cache_planning.py: as many layers a group as the rarest
        # kind has; or as the most frequent, where that is less than half more
        (10, 14, [10, 14]),
        (10, 15, [8, 7, 10]),
        (10, 20, [10, 10, 10]),
        (1, 3, [1, 1, 1, 1]),
        (4, 4, [4, 4]),
    ],
)
def test_layers_of_a_group(full: int, windowed: int, groups: list[int]) -> None:
    blocks = pool(made_of(*[FULL] * full, *[WINDOW] * windowed), Serving("bf16", 1))
    assert sorted(len(group.layers) for group in blocks.groups) == sorted(groups)
    assert sorted(layer for group in blocks.groups for layer in group.layers) == list(range(full + windowed))


@pytest.mark.parametrize(("heads", "tokens"), [(2, 16), (1, 32), (4, 16), (3, 16)])
def test_a_smaller_page_holds_more_tokens_where_it_divides_the_largest(heads: int, tokens: int) -> None:
    """Windows of so many heads beside full layers of two: half a page takes twice the tokens, two thirds are padded."""
    full = replace(FULL, num_kv_heads=6 if heads == 3 else 2)
    blocks = pool(made_of(full, replace(WINDOW, num_kv_heads=4 if heads == 3 else heads)), Serving("bf16", 1))
    (held,) = (group.block_tokens for group in blocks.groups if group.kind == "sliding")
    assert held == tokens
    assert len({group.page_bytes for group in blocks.groups}) == 1


def test_a_state_is_a_block() -> None:
    assert {group.block_tokens for group in pool(published("mamba-2-8b-hf"), Serving("bf16", 1)).groups} == {1}
    hybrid = pool(published("lfm2-24b-a2b"), Serving("bf16", 1)).groups
    assert {group.block_tokens for group in hybrid if group.kind == "state"} == {1}


def test_both_16_bit_formats_are_as_large() -> None:
    answers = [estimate(tiny_llama(), Workload(engine="vllm", kv_format=name)) for name in ("f16", "bf16")]
    assert answers[0].part("kv_cache") == answers[1].part("kv_cache")


STATES = [
    # name, bytes of one layer's state: (kernel - 1) x channels in 16 bits, and the state in 16 or 32 (`mamba_utils.py`)
    ("lfm2-24b-a2b", 2 * 2_048 * 2),
    ("ai21-jamba-mini-1-5", 3 * 8_192 * 2 + 8_192 * 16 * 2),
    ("mamba-codestral-7b-v0-1", 3 * (8_192 + 2 * 8 * 128) * 2 + 8_192 * 128 * 2),
    ("qwen3-5-27b", 3 * (2 * 2_048 + 6_144) * 2 + 48 * 128 * 128 * 4),
    ("moonshot/kimi-k3", 3 * 3 * 96 * 128 * 2 + 96 * 128 * 128 * 4),
]


@pytest.mark.parametrize(("name", "size"), STATES, ids=[row[0] for row in STATES])
def test_bytes_of_a_state(name: str, size: int) -> None:
    shape = catalogued(name) if "/" in name else published(name)
    specs = {spec.bytes for _layer, spec in layer_specs(shape, Serving("bf16", 1)) if spec.kind == "state"}
    assert specs == {size}


@pytest.mark.parametrize(("ranks", "tokens"), [(1, 5_760), (8, 768)])
def test_kimi_delta_attention_keeps_its_state_in_32_bits(ranks: int, tokens: int) -> None:
    """Blocks of Kimi K3 as vLLM makes them: pages of 5,760 and 768 tokens x 576 values hold a state of 96 heads."""
    blocks = pool(catalogued("moonshot/kimi-k3"), Serving("bf16", ranks))
    assert {group.page_bytes for group in blocks.groups} == {tokens * 576 * 2}


@pytest.mark.parametrize(
    ("kind", "config", "width"),
    [
        ("gated_delta", {}, 2),
        ("gated_delta", {"model_type": "qwen3_5_text", "state_dtype": "float32"}, 4),  # the config says so
        ("gated_delta", {"model_type": "qwen3_5_text"}, 2),
        ("gated_delta", {"model_type": "qwen3_next", "state_dtype": "float32"}, 2),  # nothing reads it there
        ("gated_delta", {"model_type": "nemotron_h"}, 4),  # DEFAULT_MAMBA_SSM_CACHE_DTYPE
        ("lightning", {}, 2),
        ("kimi_delta", {}, 4),  # `kda_state_dtype` in mamba_utils.py: the state is torch.float32, always
    ],
)
@pytest.mark.parametrize(("kernel", "inputs"), [(4, 3), (1, 0), (0, 0)])
def test_which_states_are_wide(kind: str, config: dict[str, Any], width: int, kernel: int, inputs: int) -> None:
    mixer = LinearAttention(
        kind=kind,
        num_key_heads=2,
        num_value_heads=4,
        key_head_dim=8,
        value_head_dim=16,
        conv_kernel=kernel,
        conv_channels=96,
    )
    shape = replace(tiny_llama(), **config)
    assert state_bytes(shape, mixer, Serving("bf16", 1)) == inputs * 96 * 2 + 4 * 8 * 16 * width


def test_a_sliding_window_stops_growing() -> None:
    shape = published("gemma-3-27b-it")
    sizes = [
        [
            term.bytes
            for term in estimate(shape, Workload(engine="vllm", context_tokens=tokens)).part("kv_cache").terms
            if term.key == "blocks_sliding"
        ]
        for tokens in (16384, 131072)
    ]
    assert sizes[0] == sizes[1]


def test_heads_repeat_when_ranks_outnumber_them() -> None:
    # 2 key/value heads on 8 ranks: each rank holds one, so that 8 are held in all.
    one, eight = (
        estimate(tiny_llama(), Workload(engine="vllm", tensor_parallel=ranks)).part("kv_cache").bytes
        for ranks in (1, 8)
    )
    assert eight == 4 * one


def test_a_latent_is_held_by_every_rank() -> None:
    shape = published("deepseek-v3")
    one, eight = (
        estimate(shape, Workload(engine="vllm", tensor_parallel=ranks)).part("kv_cache").bytes for ranks in (1, 8)
    )
    assert eight == 8 * one


@pytest.mark.parametrize(
    "name", ["qwen3-8-27b", "gemma-3-27b-it", "deepseek-v3-2", "falcon-h1-7b-instruct", "lfm2-1-2b"]
)
@pytest.mark.parametrize(("ranks", "depth"), [(1, 1), (2, 1), (1, 2), (2, 2)])
def test_a_term_is_its_formula(name: str, ranks: int, depth: int) -> None:
    workload = Workload(
        engine="vllm", context_tokens=50_000, sequences=3, tensor_parallel=ranks, pipeline_parallel=depth
    )
    answer = estimate(published(name), workload)
    terms = [term for key in ("kv_cache", "state") for term in answer.part(key).terms if term.key != "null_block"]
    assert terms
    for term in terms:
        values = {key: int(value) for key, value in term.values.items()}
        assert term.bytes == values["layers"] * values["blocks"] * values["page_bytes"] * values["copies"]


def test_a_convolution_that_keeps_nothing_leaves_blocks_as_they_are() -> None:
    """A kernel of one token has no state to make room for."""
    config = reference_config("lfm2-1-2b") | {"conv_L_cache": 1}
    (full, *_) = estimate(read_config(config), Workload(engine="vllm")).part("kv_cache").terms
    assert full.values["block_tokens"] == 16
