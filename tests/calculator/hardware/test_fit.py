"""Fit against what vendors and engines say about card counts, and relations that must always hold."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields, replace
from itertools import pairwise

import pytest

from calculator.architecture import Shape
from calculator.hardware import Card, HardwareError, best_format, engine_named, fit, fit_all, fixes, speed
from calculator.memory import Workload, WorkloadError
from calculator.memory.llama_cpp.presets import DEFAULT_TYPE

Shapes = Callable[[str], Shape]

DEEPSEEK = "https://docs.sglang.io/docs/basic_usage/deepseek_v3.md"  # table of weight types and configurations
DEEPSEEK_VLLM = "https://docs.vllm.ai/projects/recipes/en/latest/DeepSeek/DeepSeek-V3.html"
KIMI = "https://github.com/MoonshotAI/Kimi-K2/blob/main/docs/deploy_guidance.md"
KIMI_THINKING = "https://huggingface.co/moonshotai/Kimi-K2-Thinking/blob/main/docs/deploy_guidance.md"
GPT_OSS = "https://huggingface.co/openai/gpt-oss-120b"
GPT_OSS_LOG = "https://github.com/vllm-project/vllm/issues/27508"
LLAMA_3 = "https://github.com/XiongjieDai/GPU-Benchmarks-on-LLM-Inference"
LLAMA_4 = "https://blog.vllm.ai/2025/04/05/llama4.html"
GEMMA_3 = "https://developers.googleblog.com/en/gemma-3-quantized-aware-trained-state-of-the-art-ai-to-consumer-gpus/"

GUIDES = [
    # model, engine, weights, tokens, card, count, our state, source. What a source says runs, fits; what it says does
    # not (fewer cards than its least), does not: but for one that just holds it, without the headroom a vendor asks.
    ("deepseek-v3", "vllm", None, 8192, "h200-sxm", 8, "fits", DEEPSEEK_VLLM),
    ("deepseek-v3", "vllm", None, 8192, "instinct-mi300x", 8, "fits", DEEPSEEK),
    ("deepseek-v3", "vllm", None, 8192, "h100-sxm-80gb", 16, "fits", DEEPSEEK),
    ("deepseek-v3", "vllm", None, 8192, "h100-sxm-80gb", 8, "does_not_fit", DEEPSEEK),
    ("deepseek-v3", "vllm", None, 8192, "a100-sxm-80gb", 8, "does_not_fit", DEEPSEEK),
    ("deepseek-v3", "vllm", "AWQ", 8192, "a100-sxm-80gb", 8, "fits", DEEPSEEK),
    ("kimi-k2-instruct", "vllm", None, 131072, "h200-sxm", 16, "fits", KIMI),
    ("kimi-k2-instruct", "vllm", None, 131072, "h200-sxm", 8, "tight", KIMI),
    ("kimi-k2-thinking", "vllm", None, 262144, "h200-sxm", 8, "fits", KIMI_THINKING),
    ("gpt-oss-120b", "vllm", None, 8192, "h100-sxm-80gb", 1, "fits", GPT_OSS_LOG),
    ("gpt-oss-120b", "llama.cpp", "MXFP4_MOE", 8192, "h100-sxm-80gb", 1, "fits", GPT_OSS),
    ("gpt-oss-120b", "llama.cpp", "MXFP4_MOE", 8192, "rtx-a6000", 1, "does_not_fit", GPT_OSS),
    ("llama-3-3-70b-instruct", "llama.cpp", "Q4_K_M", 8192, "rtx-3090", 2, "fits", LLAMA_3),
    ("llama-3-3-70b-instruct", "llama.cpp", "Q4_K_M", 8192, "rtx-3090", 1, "does_not_fit", LLAMA_3),
    ("llama-3-3-70b-instruct", "llama.cpp", "F16", 8192, "rtx-3090", 4, "does_not_fit", LLAMA_3),
    ("llama-3-3-70b-instruct", "llama.cpp", "F16", 8192, "rtx-3090", 8, "fits", LLAMA_3),
    ("llama-3-8b-instruct", "llama.cpp", "F16", 8192, "rtx-4090", 1, "fits", LLAMA_3),
    ("gemma-3-27b-it", "llama.cpp", "Q4_0", 8192, "rtx-3090", 1, "fits", GEMMA_3),
    ("gemma-3-27b-it", "llama.cpp", "BF16", 8192, "rtx-3090", 1, "does_not_fit", GEMMA_3),
    ("llama-4-maverick-instruct", "vllm", "FP8", 430_000, "h100-sxm-80gb", 8, "fits", LLAMA_4),
    ("llama-4-scout-instruct", "vllm", "BF16", 1_000_000, "h100-sxm-80gb", 8, "fits", LLAMA_4),
]


@pytest.mark.parametrize(("model", "engine", "weights", "tokens", "card", "count", "state", "source"), GUIDES)
def test_published_card_counts(
    shape: Shapes,
    cards: dict[str, Card],
    model: str,
    engine: str,
    weights: str | None,
    tokens: int,
    card: str,
    count: int,
    state: str,
    source: str,
) -> None:
    workload = Workload(engine=engine, weight_format=weights, context_tokens=tokens)
    answer = fit(shape(model), workload, cards[card], count)
    assert answer.state == state, (source, answer.per_card_bytes, answer.reasons)


ENGINES = ("llama.cpp", "vllm", "transformers")
MODELS = ("llama-3-3-70b-instruct", "qwen3-30b-a3b", "deepseek-v3", "gpt-oss-120b", "qwen3-8b")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("model", MODELS)
def test_more_cards_never_hold_less(shape: Shapes, cards: dict[str, Card], model: str, engine: str) -> None:
    if (model, engine) == ("deepseek-v3", "transformers"):
        pytest.skip("accelerate sizes its buffer by the first layer, small here: the last of many cards gets more")
    fits = fit_all(shape(model), Workload(engine=engine), cards.values())
    for few, many in pairwise(fits):
        if few.card == many.card and not many.refused and few.per_card_bytes and many.per_card_bytes:
            assert many.per_card_bytes <= few.per_card_bytes
            if few.state == "fits":
                assert many.state == "fits"


@pytest.mark.parametrize("engine", ENGINES)
def test_fit_all_agrees_with_fit(shape: Shapes, cards: dict[str, Card], engine: str) -> None:
    for answer in fit_all(shape("qwen3-8b"), Workload(engine=engine), cards.values()):
        single = fit(shape("qwen3-8b"), Workload(engine=engine), answer.card, answer.count)
        assert (single.state, single.per_card_bytes) == (answer.state, answer.per_card_bytes)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_state_says_what_its_numbers_say(shape: Shapes, cards: dict[str, Card], engine: str) -> None:
    for answer in fit_all(shape("llama-3-3-70b-instruct"), Workload(engine=engine), cards.values()):
        if answer.refused or answer.spare_bytes is None:
            assert answer.state == "does_not_fit"
            continue
        assert answer.least_bytes is not None
        assert answer.per_card_bytes is not None
        assert answer.most_bytes is not None
        assert answer.least_bytes <= answer.per_card_bytes <= answer.most_bytes
        whole = answer.spare_bytes >= answer.headroom_bytes
        part = answer.spare_bytes + answer.per_card_bytes - answer.least_bytes >= 0
        assert answer.state == ("fits" if whole else "tight" if part else "does_not_fit")


@pytest.mark.parametrize("engine", ["llama.cpp", "vllm"])
def test_the_interval_decides(shape: Shapes, cards: dict[str, Card], engine: str) -> None:
    """A card that has the top of the interval fits, one byte less is tight, and below its lower end nothing fits."""
    answer = fit(
        shape("qwen3-8b"), Workload(engine=engine, util=None if engine == "llama.cpp" else 0.9), cards["l4"], 1
    )
    least, most = answer.least_bytes, answer.most_bytes
    assert least is not None
    assert most is not None
    assert answer.estimate is not None
    least, most = least - answer.estimate.outside_bytes[0], most - answer.estimate.outside_bytes[2]

    def state(room: int) -> str:
        card = replace(cards["l4"], usable_bytes=room if engine == "llama.cpp" else room * 10 // 9)
        return fit(shape("qwen3-8b"), answer.workload, card, 1).state

    room = 2**20  # what is left of a rounded share
    assert [state(size) for size in (most + room, most - room, least + room, least - room)] == [
        "fits",
        "tight",
        "tight",
        "does_not_fit",
    ]


def test_vllm_takes_no_more_than_it_is_told(shape: Shapes, cards: dict[str, Card]) -> None:
    """Between 92 % of a card and all of it `--gpu-memory-utilization` must be raised; a share asked for is kept."""
    workload = Workload(engine="vllm", context_tokens=1024)
    answer = fit(shape("qwen3-8b"), workload, cards["l4"], 1)
    assert answer.estimate is not None
    needed = (answer.most_bytes or 0) - answer.estimate.outside_bytes[2]
    card = replace(cards["l4"], usable_bytes=needed * 100 // 95)
    assert fit(shape("qwen3-8b"), workload, card, 1).state == "tight"
    assert fit(shape("qwen3-8b"), replace(workload, util=0.98), card, 1).state == "fits"
    assert fit(shape("qwen3-8b"), replace(workload, util=0.5), card, 1).state == "does_not_fit"


def test_vllm_starts_where_so_much_is_free(shape: Shapes, cards: dict[str, Card]) -> None:
    """`request_memory` of v1/worker/utils.py: "Free memory on device ... is less than desired GPU memory utilization".

    The CUDA context is there by then, 107 MiB of it at the least: 24 GiB x 0.5 % are 123 MiB, and 0.4 % are 98.
    """
    card = replace(cards["l4"], usable_bytes=24 * 2**30)
    workload = Workload(engine="vllm", context_tokens=1024)
    starts, refused = (fit(shape("qwen3-8b"), replace(workload, util=util), card, 1) for util in (0.995, 0.996))
    assert (starts.state, starts.refused) == ("fits", False)
    assert (refused.state, refused.refused) == ("does_not_fit", True)
    (reason,) = (reason for reason in refused.reasons if reason.key == "more_than_is_free")
    assert reason.values["free_bytes"] == card.usable_bytes - 107 * 2**20


def test_dual_die_cards_count_as_their_devices(shape: Shapes, cards: dict[str, Card]) -> None:
    """A 128 GB Ascend 910C is two devices of 64 GB: the split is that of two cards."""
    workload = Workload(engine="vllm", weight_format="BF16")
    one = fit(shape("qwen3-8b"), workload, replace(cards["ascend-910c-128gb"], devices=2), 1)
    two = fit(shape("qwen3-8b"), workload, replace(cards["ascend-910b3-64gb"], usable_bytes=60 * 2**30), 2)
    assert one.workload.tensor_parallel == two.workload.tensor_parallel == 2
    assert one.per_card_bytes == 2 * (two.per_card_bytes or 0)


def test_a_split_that_does_not_divide_falls_back_to_stages(shape: Shapes, cards: dict[str, Card]) -> None:
    """Qwen2.5-14B has 40 heads: 16 ranks do not divide them, 8 do, so 16 cards make 8 ranks and 2 stages."""
    answer = fit(shape("qwen2-5-14b-instruct"), Workload(engine="vllm"), cards["h100-sxm-80gb"], 16)
    assert (answer.workload.tensor_parallel, answer.workload.pipeline_parallel) == (8, 2)


def test_a_split_asked_for_is_kept_or_refused(shape: Shapes, cards: dict[str, Card]) -> None:
    asked = Workload(engine="vllm", tensor_parallel=16)
    answer = fit(shape("qwen2-5-14b-instruct"), asked, cards["h100-sxm-80gb"], 16)
    assert answer.state == "does_not_fit"
    assert [reason.values["size"] for reason in answer.reasons if reason.key == "split_refused"] == [40]
    with pytest.raises(HardwareError, match="parallel_mismatch"):
        fit(shape("qwen2-5-14b-instruct"), asked, cards["h100-sxm-80gb"], 8)


@pytest.mark.parametrize(("shares", "cards_of_kind"), [((3.0, 1.0), 1), ((3.0, 1.0), 4), ((3.0,), 2), ((0.0, 0.0), 4)])
def test_shares_are_a_split_asked_for(
    shape: Shapes, cards: dict[str, Card], shares: tuple[float, ...], cards_of_kind: int
) -> None:
    asked = Workload(tensor_split=shares)
    assert fit(shape("qwen3-8b"), asked, cards["rtx-4090"], len(shares)).count == len(shares)
    with pytest.raises(HardwareError, match="parallel_mismatch"):
        fit(shape("qwen3-8b"), asked, cards["rtx-4090"], cards_of_kind)


def test_llama_cpp_takes_so_many_cards(shape: Shapes, cards: dict[str, Card]) -> None:
    """16 back ends, of which the CPU is one (`ggml_backend_sched_new`)."""
    most, beyond = (fit(shape("qwen3-8b"), Workload(), cards["rtx-4090"], count) for count in (15, 16))
    assert most.state == "fits"
    assert [reason.values["error"] for reason in beyond.reasons if reason.key == "split_refused"] == ["too_many_cards"]


def test_the_reason_says_how_many_cards_the_shares_are_for(shape: Shapes, cards: dict[str, Card]) -> None:
    answer = fit(shape("qwen3-8b"), Workload(tensor_split=(3, 1)), cards["rtx-4090"], 2)
    assert [dict(reason.values) for reason in answer.reasons if reason.key == "split_by_layers"] == [{"devices": 2}]


@pytest.mark.parametrize(
    ("card", "back_end"),
    [
        ("rtx-4090", None),
        ("instinct-mi300x", None),  # HIP
        ("mtt-s4000", None),  # MUSA
        ("apple-m2-ultra-192gb", "back_end_metal"),
        ("ascend-910b3-64gb", "back_end_other"),  # CANN
        ("cambricon-mlu590-m9", "back_end_other"),
    ],
)
def test_what_does_not_run_cuda_s_kernels_says_so(
    shape: Shapes, cards: dict[str, Card], card: str, back_end: str | None
) -> None:
    """`docs/build.md` of llama.cpp: HIP and MUSA compile the kernels of CUDA, the others have their own."""
    answer = fit(shape("qwen3-8b"), Workload(), cards[card], 1)
    assert answer.estimate
    assert [note.key for note in answer.estimate.notes if note.key.startswith("back_end")] == [back_end] * bool(
        back_end
    )


@pytest.mark.parametrize("field", [field.name for field in fields(Workload)])
def test_a_workload_that_is_not_split_takes_one_device(field: str) -> None:
    """Whatever field spreads a model over devices: a new one that `unsplit` forgets is found here."""
    for value in (3, (3.0, 1.0), True):
        asked = Workload(**{field: value})  # type: ignore[arg-type]
        with suppress(TypeError):  # a value that is none of this field's
            assert asked.devices >= 1
            assert asked.unsplit().devices == 1


@pytest.mark.parametrize(
    ("card", "engine", "weights", "key", "blocks"),
    [
        ("apple-m2-ultra-192gb", "vllm", "BF16", "engine_unsupported", True),
        ("ascend-910b3-64gb", "vllm", "BF16", "engine_by_plugin", False),
        ("cambricon-mlu590-m9", "llama.cpp", "Q8_0", "engine_support_unknown", False),
        ("v100-32gb", "vllm", "BF16", "capability_too_low", True),  # vLLM since v0.21: compute capability 7.5
        ("a100-sxm-80gb", "vllm", "FP8", "format_weight_only", False),  # FP8 Marlin
        ("ascend-910b3-64gb", "vllm", "FP8", "format_unsupported", True),
        ("mtt-s4000", "vllm", "FP8", "format_support_unknown", False),
        ("hygon-dcu-k100-ai-64gb", "vllm", "FP8", "format_support_unknown", False),
        # llama.cpp, `ggml_backend_cann_supports_op` (MUL_MAT); on a 310P Q4_K_M leaves the card idle (issue 18797).
        ("ascend-910b3-64gb", "llama.cpp", "Q4_K_M", "format_on_processor", False),
        ("ascend-910c-128gb", "llama.cpp", "Q6_K", "format_on_processor", False),
        ("atlas-300i-duo-96gb", "llama.cpp", "Q8_0", "format_on_processor", False),
        ("atlas-300i-duo-96gb", "llama.cpp", "BF16", "format_on_processor", False),
    ],
)
def test_what_card_and_engine_say(
    shape: Shapes, cards: dict[str, Card], card: str, engine: str, weights: str, key: str, blocks: bool
) -> None:
    answer = fit(shape("qwen3-8b"), Workload(engine=engine, weight_format=weights), cards[card], 1)
    assert [reason.blocks for reason in answer.reasons if reason.key == key] == [blocks]
    assert (answer.state == "does_not_fit") is blocks


@pytest.mark.parametrize(
    ("card", "computed"),
    [
        ("ascend-910b3-64gb", {"F32", "F16", "BF16", "Q8_0", "Q4_0"}),
        ("atlas-300i-duo-96gb", {"F32", "F16"}),  # ASCEND_310P
    ],
)
def test_what_cann_has_kernels_for(cards: dict[str, Card], card: str, computed: set[str]) -> None:
    """`ggml/src/ggml-cann/ggml-cann.cpp` of llama.cpp. CUDA's kernels, which MUSA compiles, know all; what types a
    reader's own file is made of, its name does not say."""
    said = {name: list(engine_named("llama.cpp").format_reasons(cards[card], name)) for name in DEFAULT_TYPE}
    assert {name for name, reasons in said.items() if not reasons} == computed
    assert [reason.blocks for reason in said["GGUF"]] == [False]
    assert not [
        name for name in DEFAULT_TYPE if list(engine_named("llama.cpp").format_reasons(cards["mtt-s4000"], name))
    ]


def test_of_weights_that_the_card_leaves_to_the_processor_no_speed_is_told_and_they_are_not_proposed(
    shape: Shapes, cards: dict[str, Card]
) -> None:
    """They fit all the same: what llama.cpp allocates on the card is no other."""
    model, ascend, asked = shape("qwen3-8b"), cards["ascend-910b4-32gb"], Workload(weight_format="Q4_K_M")
    placed = fit(model, asked, ascend, 1)
    assert placed.state == "fits"
    assert speed(model, placed) is None
    assert speed(model, fit(model, asked.in_format("Q4_0"), ascend, 1)) is not None
    large = shape("qwen3-32b")  # 61 GiB in BF16, 19 in Q4_K_M
    for each, computed in ((model, {"BF16", "F16"}), (large, {"Q8_0", "Q4_0"})):
        best = best_format(each, asked, ascend, 1)
        assert best
        assert best.workload.weight_format in computed
    refused = fit(large, asked.in_format("Q6_K").but(context_tokens=40_960), ascend, 1)
    proposed = {fix.workload.weight_format for fix in fixes(large, refused.workload, refused) if fix.workload}
    assert refused.state == "does_not_fit"
    assert "Q4_0" in proposed
    assert not proposed & {"Q5_K_M", "Q4_K_M", "Q3_K_M", "IQ4_XS"}


def test_two_macs_are_not_one(shape: Shapes, cards: dict[str, Card]) -> None:
    answer = fit(shape("qwen3-8b"), Workload(), cards["apple-m2-ultra-192gb"], 2)
    assert answer.state == "does_not_fit"
    assert "too_many_of_a_kind" in {reason.key for reason in answer.reasons}


@pytest.mark.parametrize("count", [0, -1, 10_000])
def test_absurd_counts_are_refused(shape: Shapes, cards: dict[str, Card], count: int) -> None:
    with pytest.raises(HardwareError) as caught:
        fit(shape("qwen3-8b"), Workload(), cards["rtx-4090"], count)
    assert (caught.value.field, caught.value.key) == ("cards", "out_of_bounds")


def test_a_billion_sequences_are_refused(shape: Shapes, cards: dict[str, Card]) -> None:
    with pytest.raises(WorkloadError) as caught:
        fit(shape("qwen3-8b"), Workload(sequences=10**9), cards["rtx-4090"], 1)
    assert (caught.value.field, caught.value.key) == ("sequences", "out_of_bounds")


def test_a_draft_model_takes_its_share(shape: Shapes, cards: dict[str, Card]) -> None:
    alone = fit(shape("qwen3-8b"), Workload(), cards["rtx-4090"], 1)
    with_draft = fit(shape("qwen3-8b"), Workload(), cards["rtx-4090"], 1, extra_bytes=2**30)
    assert alone.spare_bytes is not None
    assert with_draft.spare_bytes == alone.spare_bytes - 2**30
