"""What vLLM's encoder of images holds when the server profiles a step."""

from __future__ import annotations

import pytest

from calculator.memory import Workload, WorkloadError, estimate
from calculator.memory.vllm.encoder import encoding, thousand_tokens_bytes
from calculator.memory.workload import Estimate
from tests.calculator.memory.shapes import catalogued, published

GIB = 2**30

TRACED = [
    # elements alive at the peak for each patch, counted over the storages of vLLM's own modules on tensors without
    # memory: `SiglipVisionModel` on 8 images of 896 x 896, `Qwen3_VisionTransformer` on one of 4,096 x 4,096
    ("gemma-3-27b-it", 13_824.7),
    ("qwen3-5-27b", 15_471.5),
]


@pytest.mark.parametrize(("name", "elements"), TRACED)
def test_what_a_patch_holds(name: str, elements: float) -> None:
    shape = published(name)
    encoded = encoding(shape, 2_048, 1, None)
    patches = 1_024 * 4
    whole = thousand_tokens_bytes(shape, 1) if encoded is None else encoded.peak_bytes
    held = whole / 2 / (patches if encoded is None else encoded.items * encoded.patches)
    assert held == pytest.approx(elements, rel=0.01)


def test_a_printed_peak() -> None:
    """Qwen3.8-27B on two cards: 1.59 GiB, of which 0.13 were estimated for graphs, for an image of 16,384 tokens
    (https://github.com/noonghunna/club-3090/issues/1087; `size.longest_edge` is 16,777,216 pixels of 32 x 32)."""
    held = 16 * thousand_tokens_bytes(published("qwen3-8-27b"), 2)
    assert held / GIB == pytest.approx(1.59 - 0.13, abs=0.01)


ITEMS = [
    # model, tokens of a step, items ("profiled with ... items of the maximum feature size")
    ("gemma-4-26b-a4b-it", 4_096, 1),  # https://github.com/noonghunna/club-3090/issues/372
    ("gemma-4-31b-it", 8_192, 3),  # https://github.com/vllm-project/vllm/pull/46389
    ("gemma-4-31b-it", 1_024, 1),  # never none
    ("gemma-3-27b-it", 8_192, 32),  # 256 tokens each
]


@pytest.mark.parametrize(("name", "tokens", "items"), ITEMS)
def test_how_many_inputs_are_encoded(name: str, tokens: int, items: int) -> None:
    encoded = encoding(published(name), tokens, 1, 80 * GIB)
    assert encoded is not None
    assert encoded.items == items


def test_gemma_4_encodes_what_fits_in_a_tenth_of_the_card() -> None:
    """`_encoder_chunk`: 630 patches of a frame x 4 x 10,240 positions x 8 B."""
    shape = published("gemma-4-31b-it")
    small, large = (encoding(shape, 8_192, 1, size * GIB) for size in (24, 80))
    assert small is not None
    assert large is not None
    assert (small.at_once, large.at_once) == (12 * 630, 41 * 630)


def compute(name: str, **settings: object) -> dict[str, int]:
    answer = estimate(published(name), Workload(engine="vllm").but(**settings))
    return {term.key: term.bytes for term in answer.part("compute").terms}


def test_the_encoder_counts_where_it_is_the_peak() -> None:
    """32 images of 4,096 patches each, beside the embeddings of a step; with 1,024 sequences the sampler is larger."""
    settings = {"vision": True, "batched_tokens": 8_192}
    few = compute("gemma-3-27b-it", max_seqs=16, **settings)
    many = compute("gemma-3-27b-it", max_seqs=1_024, **settings)
    embeddings = 8_192 * 5_376 * 2
    assert few == {"input_embeddings": embeddings, "encoder_pass": 32 * 4_096 * (588 + 4 * 1_152 + 2 * 4_304) * 2}
    assert many["input_embeddings"] == embeddings
    assert many["encoded_images"] == 32 * 256 * 5_376 * 2
    assert many["sampler"] > few["encoder_pass"] - many["encoded_images"]


def test_without_images_there_is_no_encoder() -> None:
    assert compute("gemma-3-27b-it", max_seqs=16).keys() == {"forward_pass"}


def said_of_encoder(answer: Estimate) -> list[str]:
    return [note.key for note in answer.notes if note.key.startswith("vllm_encoder")]


SAID = [
    ("qwen/qwen2-5-vl-7b-instruct", True, "vllm_encoder_by_tokens"),  # preprocessor_config.json has the size
    ("qwen/qwen2-5-vl-7b-instruct", False, None),
    ("meta/llama-4-scout-instruct", True, "vllm_encoder_at_work"),  # ... and the number of tiles
]


@pytest.mark.parametrize(("slug", "vision", "said"), SAID)
def test_what_is_not_counted_is_said(slug: str, vision: bool, said: str | None) -> None:
    answer = estimate(catalogued(slug), Workload(engine="vllm", vision=vision))
    assert said_of_encoder(answer) == ([said] if said else [])


def test_what_is_counted_is_not_said_to_be_left_out() -> None:
    answer = estimate(published("gemma-3-27b-it"), Workload(engine="vllm", vision=True))
    assert said_of_encoder(answer) == []


def sampling(answer: Estimate) -> set[str]:
    return {term.key for term in answer.part("compute").terms}


KERNELS = [
    # model, weights, compute capability, whether the experts' workspaces stay
    ("qwen3-30b-a3b", "BF16", (9, 0), True),  # Triton
    ("qwen3-30b-a3b", "BF16", (10, 0), False),  # TensorRT-LLM's
    ("gpt-oss-20b", "MXFP4", (9, 0), False),  # Triton's kernels of gpt-oss
    ("gpt-oss-20b", "MXFP4", (8, 0), True),  # Marlin
]


@pytest.mark.parametrize(("name", "weights", "capability", "stay"), KERNELS)
def test_the_sampler_runs_beside_workspaces_that_stay(
    name: str, weights: str, capability: tuple[int, int], stay: bool
) -> None:
    workload = Workload(engine="vllm", weight_format=weights, capability=capability, max_seqs=1_024)
    keys = sampling(estimate(published(name), workload))
    assert keys == {"sampler", "hidden_states_kept"} | ({"expert_workspaces"} if stay else set())


def test_a_printed_workspace() -> None:
    """Qwen3-235B-A22B in FP8 on four cards, 8,192 tokens a step: 8 chosen experts of a token x two rows of 4,096."""
    terms = compute("qwen3-235b-a22b", tensor_parallel=4, batched_tokens=8_192, max_seqs=32)
    assert terms["expert_workspaces"] == 4 * 8_192 * 8 * 2 * 4_096 * 2


def test_copies_of_a_model_gather_their_tokens() -> None:
    """`prepare_finalize/naive_dp_ep.py`: each copy works on the tokens of both, with half of every expert or with
    whole ones."""
    alone = compute("mixtral-8x7b-instruct-v0-1")["expert_workspaces"]
    both = compute("mixtral-8x7b-instruct-v0-1", data_parallel=2)["expert_workspaces"]
    whole = compute("mixtral-8x7b-instruct-v0-1", data_parallel=2, expert_parallel=True)["expert_workspaces"]
    assert both == 2 * 2 * 2_048 * 2 * (7_168 + 14_336) * 2
    assert whole == 2 * 2 * alone


def test_an_encoder_that_does_not_divide_is_still_refused() -> None:
    with pytest.raises(WorkloadError):
        estimate(published("gemma-3-27b-it"), Workload(engine="vllm", tensor_parallel=3, vision=True))
