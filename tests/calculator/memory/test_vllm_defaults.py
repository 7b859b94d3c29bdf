"""vLLM's defaults for a card, what it captures, and what is said beside its numbers."""

from __future__ import annotations

import pytest

from calculator.hardware.engines.base import Alike
from calculator.hardware.engines.vllm import ENGINE as VLLM_ON_CARDS
from calculator.hardware.multiprocessors import multiprocessors
from calculator.memory import ENGINES, Estimate, Workload, estimate
from calculator.memory.vllm import available_bytes
from calculator.memory.vllm.constants import workspaces
from calculator.memory.vllm.overhead import attention_workspace_bytes, captured_sizes
from calculator.memory.vllm.serving import Serving, limits
from tests.calculator.memory.shapes import catalogued, published, tiny_llama

MIB = 2**20
GIB = 2**30
VLLM = ENGINES["vllm"]


def notes(answer: Estimate) -> dict[str, dict[str, int | str]]:
    return {note.key: dict(note.values) for note in answer.notes}


@pytest.mark.parametrize(
    ("gib", "tokens", "sequences"),
    [
        # `get_batch_defaults` in engine/arg_utils.py: H100 from 70 GiB on, H200 and MI300X from 160 GiB on
        (None, 2_048, 256),
        (24, 2_048, 256),
        (69, 2_048, 256),
        (70, 8_192, 1_024),
        (159, 8_192, 1_024),
        (160, 16_384, 1_024),
    ],
)
def test_a_larger_card_takes_larger_batches(gib: int | None, tokens: int, sequences: int) -> None:
    card_bytes = None if gib is None else gib * GIB
    workload = Workload(engine="vllm", card_bytes=card_bytes)
    assert limits(workload) == (tokens, sequences)
    assert notes(estimate(tiny_llama(), workload))["vllm_build"] == {
        "version": "0.33.0",
        "batched_tokens": tokens,
        "sequences": sequences,
    }
    asked = Workload(engine="vllm", card_bytes=card_bytes, batched_tokens=512, sequences=2_000)
    assert limits(asked) == (512, 2_000)


@pytest.mark.parametrize(
    ("sequences", "sizes", "whole"),
    [
        *[(1, 2, 1), (2, 3, 2), (4, 4, 3), (8, 5, 4), (128, 35, 19)],
        *[(200, 44, 28), (255, 50, 34), (256, 51, 35), (1_024, 51, 51)],
    ],
)
def test_how_many_batch_sizes_are_captured(sequences: int, sizes: int, whole: int) -> None:
    """1, 2, 4, then every 8 up to 256 and every 16 from there, to twice the sequences, at most 512 (config/vllm.py);
    whole graphs up to the sequences. A log of 256 says "PIECEWISE=51 (largest=512), FULL=35 (largest=256)"
    (vllm-project/vllm pull request 39559)."""
    assert captured_sizes(sequences, 0, 2_048) == (sizes, whole)


@pytest.mark.parametrize(
    ("sequences", "guessed", "sizes"),
    # "PIECEWISE=5 (largest=16)" and "PIECEWISE=7 (largest=32)" (noonghunna/club-3090, issue 104 and pull request 44)
    [(2, 3, 5), (4, 3, 7)],
)
def test_guessed_tokens_are_captured_too(sequences: int, guessed: int, sizes: int) -> None:
    assert captured_sizes(sequences, guessed, 2_048)[0] == sizes


def test_a_data_centre_blackwell_captures_larger_batches() -> None:
    assert captured_sizes(1_024, 0, 16_384, 1_024) == (83, 83)
    assert captured_sizes(1_024, 0, 512, 1_024) == (51, 51)


@pytest.mark.parametrize(
    ("name", "kv", "capability", "ranks", "mib"),
    [
        ("llama-3-1-8b-instruct", "bf16", (9, 0), 1, 0),  # FlashAttention
        ("llama-3-1-8b-instruct", "fp8", (9, 0), 1, 0),
        ("llama-3-1-8b-instruct", "fp8", (8, 0), 1, 512),  # 8,192 tokens x 32 heads of 128 x 16 B
        ("llama-3-1-8b-instruct", "bf16", (10, 0), 1, 512),
        ("llama-3-1-8b-instruct", "bf16", (10, 0), 2, 394),
        ("deepseek-v3", "bf16", (10, 0), 8, 394),
        ("deepseek-v3", "bf16", (12, 0), 8, 0),  # Triton
    ],
)
def test_flashinfer_has_a_workspace(name: str, kv: str, capability: tuple[int, int], ranks: int, mib: int) -> None:
    """`_get_workspace_buffer` of v1/attention/backends/flashinfer.py: 394 MiB, or more for many heads."""
    assert attention_workspace_bytes(published(name), Serving(kv, ranks, capability), 8_192) == mib * 2**20


def test_what_lies_outside_is_not_taken_from_the_cache() -> None:
    """`init_snapshot` of v1/worker/gpu_worker.py is taken when the CUDA context and NCCL are there already."""
    workload = Workload(engine="vllm", card_bytes=80 * GIB, capability=(9, 0), tensor_parallel=2)
    answer = estimate(published("llama-3-1-8b-instruct"), workload)
    (card, _) = answer.cards
    held = sum(size for part, size in card.items() if part not in ("kv_cache", "state"))
    named = [term for term in answer.part("overhead").terms if term.key in ("cuda_context", "communication")]
    assert answer.outside_bytes == (207 * MIB, 740 * MIB, 1155 * MIB)
    assert sum(term.bytes for term in named) == 2 * 740 * MIB
    assert available_bytes(answer) == -(-80 * GIB * 92 // 100) - held + 740 * MIB


def test_what_is_said_of_a_pool() -> None:
    plain = notes(estimate(tiny_llama(), Workload(engine="vllm")))
    assert plain["vllm_reserves"] == {"percent": 92}
    assert set(plain) == {"vllm_build", "vllm_reserves"}
    split = Workload(engine="vllm", card_bytes=24 * GIB, tensor_parallel=4, pipeline_parallel=2)
    on_cards = notes(estimate(tiny_llama(), split))
    assert on_cards["vllm_reserves_bytes"] == {"percent": 92, "cards": 8, "bytes": -(-24 * GIB * 92 // 100) * 8}
    assert "vllm_reserves" not in on_cards
    hybrid = notes(estimate(published("gemma-3-27b-it"), Workload(engine="vllm", pipeline_parallel=2)))
    assert hybrid["vllm_hybrid_blocks"] == {"block_tokens": 16, "groups": 7}


@pytest.mark.parametrize(("ranks", "copies"), [(1, None), (2, 2), (8, 8)])
def test_a_latent_that_every_rank_repeats_is_said(ranks: int, copies: int | None) -> None:
    said = notes(estimate(catalogued("deepseek/deepseek-v3"), Workload(engine="vllm", tensor_parallel=ranks)))
    assert said.get("latent_replicated") == (None if copies is None else {"copies": copies})


@pytest.mark.parametrize(("dtype", "weights", "kv"), [("float16", "FP16", "f16"), ("bfloat16", "BF16", "bf16")])
def test_a_model_s_own_width_is_the_default(dtype: str, weights: str, kv: str) -> None:
    shape = tiny_llama(torch_dtype=dtype)
    assert (VLLM.default_weight_format(shape), VLLM.default_kv_format(shape)) == (weights, kv)


@pytest.mark.parametrize("name", ["llama-3-3-70b-instruct", "qwen3-235b-a22b", "gemma-3-27b-it"])
@pytest.mark.parametrize("ranks", [1, 2, 8])
def test_terms_count_every_parameter_once_and_say_how_often_it_lies(name: str, ranks: int) -> None:
    shape = published(name)
    answer = estimate(shape, Workload(engine="vllm", tensor_parallel=ranks, vision=True))
    terms = [term for key in ("weights", "vision") for term in answer.part(key).terms if "parameters" in term.values]
    assert sum(int(term.values["parameters"]) for term in terms) == shape.total_parameters
    kinds = {term.values["tensors"]: term for term in answer.part("weights").terms if "tensors" in term.values}
    assert kinds["norm"].values.get("copies") == (None if ranks == 1 else ranks)
    assert kinds["norm"].bytes == int(kinds["norm"].values["parameters"]) * 2 * ranks


@pytest.mark.parametrize(
    ("card", "mib", "printed"),
    # `non_torch_memory` of one card, in GiB of two digits (calculator/reference/measured.jsonl)
    [("RTX 4060", 26, 0.03), ("RTX 2060 12GB", 37, 0.04), ("T4", 44, 0.05), ("H100 80GB", 145, 0.14)],
)
def test_workspaces_grow_with_the_multiprocessors(card: str, mib: int, printed: float) -> None:
    held = workspaces(multiprocessors(card))
    assert held.bytes == mib * MIB
    assert held.least < printed * GIB < held.most
    assert held.bytes == pytest.approx(printed * GIB, rel=0.16)


def test_an_unknown_card_has_the_interval_of_all() -> None:
    least, most = (workspaces(count) for count in (20, 188))
    assert workspaces(None) == (workspaces(132).bytes, least.least, most.most)


def test_what_grows_with_the_multiprocessors_is_all_that_differs() -> None:
    """Two cards of one memory and capability: the recommendation places the model once and adds the difference."""
    shape, workload = published("llama-3-1-8b-instruct"), Workload(engine="vllm")
    asked = Alike(capability=(8, 9), multiprocessors=24)
    any_card, (_least, _counted, more) = VLLM_ON_CARDS.beside(asked, workload)
    here, there = (estimate(shape, each.on(workload)).per_card_range_bytes for each in (asked, any_card))
    assert here is not None
    assert there is not None
    assert here[1] == there[1] + more
