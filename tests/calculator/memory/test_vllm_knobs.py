"""What each knob of a vLLM server changes, and what the card does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from calculator.memory import Workload, WorkloadError, capacity, estimate
from calculator.memory.vllm.cache import block_tokens, pool
from calculator.memory.vllm.registry import known
from calculator.memory.vllm.serving import Serving, limits
from tests.calculator.memory.shapes import catalogued, published, tiny_llama

GIB = 2**30
ON_H100 = Workload(engine="vllm", card_bytes=80 * GIB, capability=(9, 0))


@pytest.mark.parametrize(
    ("name", "capability", "gib", "expected"),
    [
        # `get_batch_defaults` in engine/arg_utils.py
        ("NVIDIA H100 80GB HBM3", (9, 0), 79, (8_192, 1_024)),
        ("NVIDIA A100-SXM4-80GB", (8, 0), 79, (2_048, 256)),
        ("NVIDIA A800-SXM4-80GB", (8, 0), 79, (8_192, 1_024)),  # by its name alone
        ("NVIDIA GB10", (12, 1), 119, (2_048, 256)),
        ("NVIDIA RTX PRO 6000 Blackwell", (12, 0), 95, (8_192, 1_024)),
        ("NVIDIA B200", (10, 0), 179, (16_384, 1_024)),
    ],
)
def test_defaults_of_a_card(name: str, capability: tuple[int, int], gib: int, expected: tuple[int, int]) -> None:
    asked = Workload(engine="vllm", card_bytes=gib * GIB, capability=capability, card_name=name)
    assert limits(asked) == expected


@pytest.mark.parametrize(
    ("capability", "states", "tokens"),
    # Qwen3.5-27B, one rank: a state of 3,207,168 B beside 4,096 B a token; FlashInfer's prefill on Hopper and Blackwell
    [((9, 0), 3, 832), ((10, 0), 3, 832), ((12, 0), 3, 832), ((8, 0), 2, 784), ((8, 9), 2, 784)],
)
def test_states_and_blocks_follow_the_card(capability: tuple[int, int], states: int, tokens: int) -> None:
    blocks = pool(published("qwen3-5-27b"), Serving("bf16", 1, capability))
    assert {group.states for group in blocks.groups if group.kind == "state"} == {states}
    assert {group.block_tokens for group in blocks.groups if group.kind == "full"} == {tokens}


def test_without_prefix_caching_a_request_keeps_one_state() -> None:
    blocks = pool(published("qwen3-5-27b"), Serving("bf16", 1, prefix_caching=False))
    assert {group.states for group in blocks.groups if group.kind == "state"} == {1}


@pytest.mark.parametrize(
    ("name", "kv", "capability", "tokens"),
    [
        ("deepseek-r1-0528", "bf16", (9, 0), 16),  # FlashAttention
        ("deepseek-r1-0528", "fp8", (9, 0), 64),  # FlashMLA
        ("deepseek-r1-0528", "bf16", (10, 0), 32),  # FlashInfer
        ("deepseek-r1-0528", "bf16", (8, 0), 16),  # Triton
        ("deepseek-v3-2-exp", "bf16", (9, 0), 64),  # sparse
        ("gemma-4-26b-a4b-it", "fp8", (9, 0), 64),  # FlashAttention 4 unpacks heads of 512 in tiles of 64
        ("llama-3-1-8b-instruct", "fp8", (9, 0), 16),
    ],
)
def test_blocks_follow_the_back_end(name: str, kv: str, capability: tuple[int, int], tokens: int) -> None:
    assert block_tokens(published(name), Serving(kv, 1, capability)) == tokens


def test_eager_captures_no_graphs() -> None:
    captured, eager = (estimate(tiny_llama(), replace(ON_H100, eager=eager)) for eager in (False, True))
    graphs = sum(term.bytes for term in captured.part("overhead").terms if term.key == "cuda_graphs")
    assert graphs > 0
    assert captured.part("overhead").bytes - eager.part("overhead").bytes == graphs


def test_utilisation_is_what_the_server_takes() -> None:
    answer = estimate(tiny_llama(), replace(ON_H100, util=0.5))
    assert answer.reserved_bytes == 40 * GIB
    assert {note.values["percent"] for note in answer.notes if note.key == "vllm_reserves_bytes"} == {50}


def test_multi_token_prediction_has_weights_and_a_cache() -> None:
    """DeepSeek-R1: a 62nd layer with its experts, the projection of two hidden sizes to one, and a second copy of what
    decompresses its latent, in 16 bits."""
    shape = catalogued("deepseek/deepseek-r1")
    plain, guessing = (estimate(shape, replace(ON_H100, mtp=mtp)) for mtp in (0, 1))
    layer = sum(tensor.elements for tensor in shape.tensors_of("mtp"))
    copied = 128 * (128 + 128) * 512 * 2
    assert guessing.part("weights").bytes - plain.part("weights").bytes - copied == pytest.approx(layer, rel=0.01)
    small, large = (capacity(shape, replace(ON_H100, mtp=mtp), 20 * GIB) for mtp in (1, 0))
    assert small is not None
    assert large is not None
    assert (small.block_bytes, large.block_bytes) == (62 * 16 * 576 * 2, 61 * 16 * 576 * 2)


def test_a_model_without_prediction_layers_guesses_nothing() -> None:
    with pytest.raises(WorkloadError) as error:
        estimate(tiny_llama(), replace(ON_H100, mtp=1))
    assert (error.value.field, error.value.key) == ("mtp", "no_mtp_layers")


@pytest.mark.parametrize("path", ["stepfun/step-3-5-flash", "minimax/minimax-m2-5"])
def test_prediction_layers_that_nothing_describes_are_refused_by_name(path: str) -> None:
    with pytest.raises(WorkloadError) as error:
        estimate(catalogued(path), replace(ON_H100, mtp=1))
    assert (error.value.field, error.value.key) == ("mtp", "mtp_not_described")


def test_copies_share_their_experts() -> None:
    """`FusedMoEParallelConfig.make`: with data parallelism experts are cut over the ranks of all copies."""
    shape = published("qwen3-30b-a3b")
    one, two = (estimate(shape, replace(ON_H100, data_parallel=copies)) for copies in (1, 2))
    experts = 48 * 128 * 3 * 768 * 2_048 * 2
    assert two.part("weights").bytes == 2 * one.part("weights").bytes - experts
    whole = estimate(shape, replace(ON_H100, data_parallel=2, expert_parallel=True))
    assert whole.part("weights").bytes == two.part("weights").bytes


def test_copies_of_a_dense_model_are_copies() -> None:
    one, two = (estimate(tiny_llama(), replace(ON_H100, data_parallel=copies, sequences=copies)) for copies in (1, 2))
    assert two.total_bytes == 2 * one.total_bytes
    assert two.per_card_bytes == one.per_card_bytes


def test_an_encoder_whose_heads_do_not_divide_is_refused() -> None:
    """GLM-4.1V's encoder has 12 heads; the text alone runs."""
    shape = published("glm-4-1v-9b-thinking")
    estimate(shape, replace(ON_H100, tensor_parallel=8))
    with pytest.raises(WorkloadError) as error:
        estimate(shape, replace(ON_H100, tensor_parallel=8, vision=True))
    assert (error.value.key, error.value.values["size"]) == ("not_divisible", 12)


@pytest.mark.parametrize("name", ["liquid/lfm3-1-7b", "baichuan/baichuan2-7b-chat"])
def test_models_that_0_33_does_not_know(name: str) -> None:
    with pytest.raises(WorkloadError) as error:
        estimate(catalogued(name), ON_H100)
    assert (error.value.field, error.value.key) == ("engine", "model_not_supported")


PRINTED = [
    # model, changes of its config, workload, GiB of the pool, tokens that the server printed for it; public logs
    # hybrids whose draft guesses two tokens, on a GB10
    ("qwen/qwen3-5-27b", {"kv_format": "fp8", "context_tokens": 262_144, "mtp": 2}, (12, 1), 46.98, 1_325_364),
    ("qwen/qwen3-5-27b", {"kv_format": "fp8", "context_tokens": 262_144, "mtp": 2}, (12, 1), 66.74, 1_883_336),
    # no checkpoints inside a prompt; two contexts
    ("qwen/qwen3-next-80b-a3b-instruct", {"context_tokens": 131_072}, (8, 9), 16.63, 708_425),
    ("qwen/qwen3-next-80b-a3b-instruct", {"context_tokens": 65_536}, (8, 9), 5.853, 242_534),
    ("qwen/qwen3-30b-a3b", {"context_tokens": 40_960}, (9, 0), 4.85, 52_960),
]


@pytest.mark.parametrize(
    ("name", "asked", "capability", "gib", "tokens"), PRINTED, ids=[f"{row[0]}-{row[4]}" for row in PRINTED]
)
def test_tokens_of_a_pool_as_servers_printed(
    name: str, asked: dict[str, Any], capability: tuple[int, int], gib: float, tokens: int
) -> None:
    workload = Workload(engine="vllm", capability=capability, **asked)
    pool = capacity(catalogued(name), workload, int(gib * GIB))
    assert pool is not None
    assert pool.tokens == tokens


def test_falcon_keeps_a_wide_cache() -> None:
    """`falcon.py` makes its attention without the cache's configuration."""
    shape = catalogued("tii/falcon-7b-instruct")
    sizes = {
        estimate(shape, Workload(engine="vllm", kv_format=kv, context_tokens=2_048)).part("kv_cache").bytes
        for kv in ("bf16", "fp8")
    }
    assert len(sizes) == 1


@pytest.mark.parametrize("name", ["minimax/minimax-m2-1", "xiaomi/mimo-v2-flash"])
def test_blocks_of_fp8_run_on_eight_ranks(name: str) -> None:
    """Scales of experts are refined to 64 x 64 (`refine_fp8_moe_block_shape`)."""
    shape = catalogued(name)
    one, eight = (
        estimate(shape, Workload(engine="vllm", tensor_parallel=ranks)).part("weights").bytes for ranks in (1, 8)
    )
    assert one / 8 < eight / 8 < one / 4


def test_lists_of_classes_do_not_overlap() -> None:
    """`classes.toml`: a class is vLLM's own or of transformers."""
    lists = known()
    assert not lists.own_classes & lists.transformers_classes
    assert all(name.isidentifier() for name in lists.own_classes | lists.transformers_classes)


@pytest.mark.parametrize("name", ["llama-3-1-8b-instruct", "deepseek-v3"])
@pytest.mark.parametrize(("tokens", "depth"), [(2_048, 1), (8_192, 1), (8_192, 2)])
def test_the_interval_of_a_step_is_that_of_its_sampler(name: str, tokens: int, depth: int) -> None:
    """From the largest logit alone to all of them sorted; what a forward pass needs is always there."""
    shape = published(name)
    workload = Workload(engine="vllm", batched_tokens=tokens, max_seqs=256, pipeline_parallel=depth)
    (part,) = (part for part in estimate(shape, workload).parts if part.key == "compute")
    *others, last = part.terms
    assert not any(term.range_bytes for term in others)
    assert last.range_bytes is not None
    least, most = (part.bytes - last.bytes + end for end in last.range_bytes)
    kept = tokens * shape.hidden_size * 2
    assert 0 < least <= part.bytes <= most
    assert most >= 256 * shape.vocab_size * 40 + kept
