"""SGLang over several cards: copies, copies of attention, whole experts; layers that guess ahead."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from calculator.accuracy.references import reference_shape
from calculator.memory import Workload, WorkloadError, capacity, estimate
from calculator.memory.mxfp4_experts import with_experts
from calculator.memory.rank_weights import storage
from calculator.memory.sglang.server import server
from calculator.memory.sglang.split import Layout as WeightLayout
from calculator.memory.sglang.split import layout, price
from calculator.memory.tensors import tensor_groups
from tests.calculator.memory.shapes import catalogued, server_prints

GIB = 2**30


def test_copies_of_a_model_share_nothing() -> None:
    """`--dp-size`: replicas, each with its own cache."""
    shape = catalogued("qwen/qwen3-30b-a3b")
    one, two = (estimate(shape, Workload(engine="sglang", data_parallel=copies, sequences=copies)) for copies in (1, 2))
    assert two.total_bytes == 2 * one.total_bytes
    assert two.per_card_bytes == one.per_card_bytes
    assert len(two.cards) == 2


def test_copies_of_attention_lie_on_the_ranks_of_one_model() -> None:
    """`--attn-dp-size 4` of 4 ranks, Qwen3-30B-A3B in 16 bits: attention, embedding and cache whole on every rank,
    experts and output head in four parts."""
    shape = catalogued("qwen/qwen3-30b-a3b")
    plain = Workload(engine="sglang", weight_format="BF16", tensor_parallel=4, sequences=4)
    apart = replace(plain, data_parallel=4, attention_data_parallel=True)
    split, copied = estimate(shape, plain), estimate(shape, apart)
    attention = 48 * 2 * 2048 * (32 + 4) * 128  # queries, keys, values, output
    embedding = 151_936 * 2048
    assert copied.part("weights").bytes - split.part("weights").bytes == 3 * 2 * (attention + embedding)
    assert len(copied.cards) == 4
    # each holds the whole of a quarter of the requests, instead of a quarter of the whole of all
    pages = {term.values["tokens"] for term in copied.part("kv_cache").terms}
    assert pages == {8192 + 1}
    assert capacity(shape, apart, 20 * GIB) == capacity(shape, replace(plain, tensor_parallel=1), 20 * GIB)


def test_copies_of_attention_share_a_prefill_chunk_and_pad_their_graphs() -> None:
    """`handle_data_parallelism`, `reserve_for_graph_mb`: 8,192 tokens for four; 3 MiB a sequence and copy, or 4.5."""
    asked = Workload(
        engine="sglang", card_bytes=80 * GIB, tensor_parallel=4, data_parallel=4, attention_data_parallel=True
    )
    found = server(asked, latent=False)
    assert (found.chunk_tokens, found.activation_tokens, found.graph_sequences) == (2048, 8192, 512)
    assert found.graph_bytes == (512 * 2 + 512 * 4 * 4.5 + 58 * 8) * 2**20
    few = server(replace(asked, max_seqs=100), latent=False)
    assert few.graph_bytes == (100 * 2 + 100 * 4 * 3 + 58 * 8) * 2**20


def test_whole_experts_weigh_as_much_as_their_slices() -> None:
    shape = catalogued("qwen/qwen3-30b-a3b")
    sliced, whole = (
        estimate(shape, Workload(engine="sglang", tensor_parallel=4, expert_parallel=ep)) for ep in (False, True)
    )
    assert sliced.part("weights").bytes == whole.part("weights").bytes
    with pytest.raises(WorkloadError, match="num_experts"):  # 128 of them
        estimate(shape, Workload(engine="sglang", tensor_parallel=3, expert_parallel=True))


@pytest.mark.parametrize(
    ("capability", "ranks", "whole", "expert_bytes"),
    [
        # gate with up, down: values; their scales; biases. 2,880 -> 3,072 inside, and 2,944 wide on Blackwell
        ((10, 0), 1, False, 3 * 3072 * 2944 // 2 + 3 * 3072 * 92 + (2 * 2944 + 3072) * 4),
        ((12, 0), 1, False, 3 * 3072 * 2944 // 2 + 3 * 3072 * 92 + (2 * 2944 + 3072) * 2),
        # on Hopper scales alone: 2 x 2,880 rows by 256, and 90 columns by 4
        ((9, 0), 1, False, 3 * 2880 * 1440 + (5888 + 3072) * 92 + 3 * 2880 * 4),
        ((8, 0), 1, False, 3 * 2880 * 1440 + 3 * 2880 * 90 + 3 * 2880 * 4),
        # a width of 720 becomes 768, of which 24 scales; columns of the scales inside are 92 on Hopper
        ((9, 0), 4, False, 3 * 2880 * 384 + (1536 * 92 + 3072 * 24) + (2 * 768 + 2880) * 4),
        ((8, 0), 4, False, 3 * 2880 * 384 + (1536 * 90 + 2880 * 24) + (2 * 768 + 2880) * 4),
        ((9, 0), 4, True, (3 * 2880 * 2880 + 3 * 2880) * 2 // 4),  # a quarter of the experts
        ((10, 0), 4, True, (3 * 3072 * 2944 // 2 + 3 * 3072 * 92 + (2 * 2944 + 3072) * 4) // 4),
    ],
)
def test_experts_in_mxfp4_as_the_kernel_of_a_card_wants_them(
    capability: tuple[int, int], ranks: int, whole: bool, expert_bytes: int
) -> None:
    """gpt-oss-120b, 36 layers of 128. `_gpt_oss_overrides` chooses the kernel: flashinfer_mxfp4 on Blackwell (trtllm or
    cutlass), triton_kernel before with --ep-size 1, and else none, so `process_weights_after_loading` calls
    `upcast_from_mxfp`. Padding: `create_weights`, `FusedMoE.__init__` (256), `_swizzle_mxfp4`."""
    shape = catalogued("openai/gpt-oss-120b")
    spread = layout(Workload(engine="sglang", capability=capability, tensor_parallel=ranks, expert_parallel=whole))
    groups = [group for group in tensor_groups(shape) if "_exps" in group.role]
    formats = [with_experts(group, storage(shape, group, "MXFP4"), "MXFP4") for group in groups]
    prices = [price(shape, group, spec, spread)[0] for group, spec in zip(groups, formats, strict=True)]
    held = sum(one * len(group.layers) for one, group in zip(prices, groups, strict=True))
    assert held == 36 * 128 * expert_bytes


@pytest.mark.parametrize(
    ("slug", "asked", "field", "key"),
    [
        (
            "meta/llama-3-1-8b-instruct",
            {"tensor_parallel": 4, "data_parallel": 2},
            "attention_data_parallel",
            "not_for_model",
        ),
        ("qwen/qwen3-30b-a3b", {"tensor_parallel": 4, "data_parallel": 3}, "data_parallel", "not_divisible"),
        ("qwen/qwen3-30b-a3b", {"tensor_parallel": 1, "data_parallel": 2}, "data_parallel", "not_divisible"),
    ],
)
def test_copies_of_attention_that_cannot_be(slug: str, asked: dict[str, Any], field: str, key: str) -> None:
    for ask in (estimate, lambda shape, workload: capacity(shape, workload, GIB)):
        with pytest.raises(WorkloadError) as caught:
            ask(catalogued(slug), Workload(engine="sglang", attention_data_parallel=True, **asked))
        assert (caught.value.field, caught.value.key) == (field, key)


def test_prediction_layers_have_weights_and_a_cache() -> None:
    """DeepSeek-R1: a 62nd layer; `DefaultPoolConfigurator` widens a token by 1 / 61, and 48 requests run at once."""
    shape = catalogued("deepseek/deepseek-r1")
    plain, guessing = (Workload(engine="sglang", mtp=mtp) for mtp in (0, 3))
    layer = sum(tensor.elements for tensor in shape.tensors_of("mtp"))
    weights = [estimate(shape, asked).part("weights").bytes for asked in (plain, guessing)]
    assert weights[1] - weights[0] == pytest.approx(layer, rel=0.02)
    held = [server_prints(shape, asked, 20 * GIB) for asked in (plain, guessing)]
    assert [each.block_bytes for each in held] == [61 * 576 * 2, 62 * 576 * 2]
    assert held[1].max_requests == 48


@pytest.mark.parametrize(
    ("slug", "asked", "field", "key"),
    [
        ("qwen/qwen3-5-27b", {}, "mtp", "not_for_model"),  # states of guessed tokens
        ("meta/llama-3-1-8b-instruct", {}, "mtp", "no_mtp_layers"),
        ("deepseek/deepseek-r1", {"pipeline_parallel": 2}, "pipeline_parallel", "not_with_stages"),
    ],
)
def test_prediction_that_is_not_modelled_is_refused(slug: str, asked: dict[str, Any], field: str, key: str) -> None:
    with pytest.raises(WorkloadError) as caught:
        estimate(catalogued(slug), Workload(engine="sglang", mtp=2, **asked))
    assert (caught.value.field, caught.value.key) == (field, key)


@pytest.mark.parametrize(
    ("name", "is_split"), [("qwen3-5-9b", True), ("gemma-3-27b-it", True), ("glm-4-6v-flash", False)]
)
def test_positions_of_an_encoder(name: str, is_split: bool) -> None:
    """`VocabParallelEmbedding` in `qwen3_vl.py` and `siglip.py`, `nn.Embedding` in `glm4v.py`."""
    shape = reference_shape(name)
    (table,) = (group for group in tensor_groups(shape) if group.role == "v.position_embd")
    size = price(shape, table, storage(shape, table, "BF16"), WeightLayout(2, 1, 1, 2, whole_experts=False))[0]
    assert size * (2 if is_split else 1) == table.elements * 2


def test_layers_that_guess_ahead_are_told_with_their_parameters() -> None:
    """DeepSeek-V3 has one such layer of 11.5 billion parameters beside the shared embedding and head."""
    answer = estimate(catalogued("deepseek/deepseek-v3"), Workload(engine="sglang", tensor_parallel=8, mtp=1))
    (term,) = [each for each in answer.part("weights").terms if each.key == "prediction_layers"]
    assert 11.4e9 < int(term.values["parameters"]) < 11.7e9
