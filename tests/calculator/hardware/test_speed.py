"""Bounds on speed: above what was measured, not far above, and monotone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from calculator.architecture import Shape, read_config
from calculator.hardware import Card, Fit, HardwareError, decoding, engine_named, fit, speed
from calculator.hardware.reads import cache_reads, expert_share, prompt_flops, token_flops
from calculator.memory import Workload

Shapes = Callable[[str], Shape]

# Tokens/s of llama-bench at 1,024 tokens, from the table "LLaMA 3" of XiongjieDai/GPU-Benchmarks-on-LLM-Inference
# (README.md, May 2024; commit 00dd2bde); and how many times that the bound is at most.
MEASURED = [
    ("llama-3-8b-instruct", "Q4_K_M", "rtx-3090", 1, 111.74, 1.77),
    ("llama-3-8b-instruct", "F16", "rtx-3090", 1, 46.51, 1.33),
    ("llama-3-8b-instruct", "Q4_K_M", "rtx-4090", 1, 127.74, 1.67),
    ("llama-3-8b-instruct", "F16", "rtx-4090", 1, 54.34, 1.23),
    ("llama-3-8b-instruct", "F16", "rtx-4090", 2, 53.27, 1.25),
    ("llama-3-3-70b-instruct", "Q4_K_M", "rtx-3090", 2, 16.29, 1.37),
    ("llama-3-3-70b-instruct", "Q4_K_M", "rtx-4090", 2, 19.06, 1.26),
    ("llama-3-8b-instruct", "Q4_K_M", "apple-m2-ultra-192gb", 1, 76.28, 2.21),
]


@pytest.mark.parametrize(("model", "weights", "card", "count", "measured", "most"), MEASURED)
def test_decoding_is_bounded_by_bandwidth(
    shape: Shapes, cards: dict[str, Card], model: str, weights: str, card: str, count: int, measured: float, most: float
) -> None:
    workload = Workload(weight_format=weights, context_tokens=1024)
    bound = speed(shape(model), fit(shape(model), workload, cards[card], count))
    assert bound is not None
    assert bound.bound == "bandwidth"
    assert bound.decode_tokens_per_s is not None
    assert measured <= bound.decode_tokens_per_s <= most * measured


@pytest.mark.parametrize("engine", ["llama.cpp", "vllm", "transformers"])
@pytest.mark.parametrize("model", ["qwen3-8b", "qwen3-30b-a3b", "deepseek-v3", "gpt-oss-120b"])
def test_speed_falls_with_context(shape: Shapes, cards: dict[str, Card], model: str, engine: str) -> None:
    bounds = []
    for context in (1024, 4096, 16384, 32768):
        answer = fit(shape(model), Workload(engine=engine, context_tokens=context), cards["h200-sxm"], 8)
        bound = speed(shape(model), answer, prompt_tokens=context)
        assert bound is not None
        assert bound.decode_tokens_per_s is not None
        assert bound.first_token_s is not None
        bounds.append((bound.decode_tokens_per_s, -bound.first_token_s))
    assert bounds == sorted(bounds, reverse=True)


def test_a_batch_reads_the_weights_once(shape: Shapes, cards: dict[str, Card]) -> None:
    model = shape("qwen3-8b")
    workload = Workload(engine="vllm", context_tokens=1024)
    one, eight = (
        speed(model, fit(model, replace(workload, sequences=sequences), cards["h100-sxm-80gb"], 1))
        for sequences in (1, 8)
    )
    assert one is not None
    assert eight is not None
    cache, _ram = cache_reads(model, Workload(kv_format="bf16"), 1024)
    assert eight.step_device_bytes - one.step_device_bytes == 7 * cache


def test_experts_of_a_batch(shape: Shapes) -> None:
    """1 - (1 - k/E)^n (arXiv:2505.19645): 8 of 128 for one token, nearly all for many."""
    model = shape("qwen3-30b-a3b")
    assert expert_share(model, 1) == pytest.approx(8 / 128)
    assert expert_share(model, 2) == pytest.approx(1 - (120 / 128) ** 2)
    assert expert_share(model, 100) == pytest.approx(1 - (120 / 128) ** 100)
    assert expert_share(shape("qwen3-8b"), 1) == 1


@pytest.mark.parametrize(
    ("model", "kv", "tokens", "expected"),
    [
        # layers x heads x (key + value) x bytes x tokens
        ("qwen3-8b", "f16", 1000, 36 * 8 * 256 * 2 * 1000),
        ("qwen3-8b", "q8_0", 1000, 36 * 8 * 256 * 34 // 32 * 1000),
        # 61 layers of a 512 latent and a 64 rotary key
        ("deepseek-v3", "f16", 1000, 61 * 576 * 2 * 1000),
        # 18 layers see everything, 18 the last 128 tokens
        ("gpt-oss-120b", "f16", 1000, 18 * 8 * 128 * 2 * (1000 + 128)),
    ],
)
def test_what_a_token_reads_of_the_cache(shape: Shapes, model: str, kv: str, tokens: int, expected: int) -> None:
    assert cache_reads(shape(model), Workload(kv_format=kv), tokens) == (expected, 0)


def test_deepseek_v4_reads_a_window_and_what_it_has_compressed(shape: Shapes) -> None:
    """config.json: heads of 512 see 128 tokens in each of 43 layers; 21 layers keep one vector for every 4 tokens, of
    which an indexer with keys of 128 picks 512; 20 keep one for every 128, and read all."""
    tokens = 10_000
    windows = 43 * 128 * 512
    picked = 21 * (512 * 512 + tokens // 4 * 128)
    all_of_them = 20 * (tokens // 128) * 512
    expected = 2 * (windows + picked + all_of_them)
    assert cache_reads(shape("deepseek-v4-flash"), Workload(), tokens) == (expected, 0)


@pytest.mark.parametrize("model", ["qwen3-8b", "gpt-oss-120b", "deepseek-v3-2", "deepseek-v4-flash", "mamba-2-8b-hf"])
@pytest.mark.parametrize("tokens", [1, 129, 3_000])
def test_a_prompt_works_as_its_tokens_do_one_by_one(shape: Shapes, model: str, tokens: int) -> None:
    """But for the output head, which a prompt needs once: every token sees those before it and itself."""
    asked = shape(model)
    head = 2 * asked.hidden_size * asked.vocab_size
    one_by_one = sum(token_flops(asked, seen) for seen in range(1, tokens + 1))
    assert prompt_flops(asked, tokens) == one_by_one - (tokens - 1) * head


def test_the_latent_is_read_on_every_rank(shape: Shapes) -> None:
    one, eight = (
        cache_reads(shape("deepseek-v3"), Workload(kv_format="bf16", tensor_parallel=ranks), 1000)[0]
        for ranks in (1, 8)
    )
    assert eight == 8 * one


def test_offloaded_experts_slow_down_to_ram(shape: Shapes, cards: dict[str, Card]) -> None:
    model = shape("qwen3-30b-a3b")
    workload = Workload(weight_format="Q4_K_M")
    on_card = speed(model, fit(model, workload, cards["rtx-4090"], 1))
    in_ram = speed(model, fit(model, replace(workload, cpu_expert_layers=48), cards["rtx-4090"], 1))
    assert on_card is not None
    assert in_ram is not None
    assert on_card.step_host_bytes == 0
    assert in_ram.bound == "ram"
    assert in_ram.decode_tokens_per_s is not None
    assert on_card.decode_tokens_per_s is not None
    assert in_ram.decode_tokens_per_s < on_card.decode_tokens_per_s / 5


def test_unknown_bandwidth_is_unknown_speed(shape: Shapes, cards: dict[str, Card]) -> None:
    answer = fit(shape("qwen3-8b"), Workload(), cards["cambricon-mlu590-m9"], 1)
    bound = speed(shape("qwen3-8b"), answer)
    assert answer.state == "fits"
    assert bound is not None
    assert bound.decode_tokens_per_s is None
    assert bound.prefill_tokens_per_s is None
    assert bound.bound is None
    assert {"bandwidth_unknown", "compute_unknown"} <= {note.key for note in bound.notes}


def test_unknown_arithmetic_leaves_decoding_bounded(shape: Shapes, cards: dict[str, Card]) -> None:
    card = replace(cards["rtx-4090"], fp16_flops=None, int8_ops=None)
    bound = speed(shape("qwen3-8b"), fit(shape("qwen3-8b"), Workload(), card, 1))
    assert bound is not None
    assert bound.decode_tokens_per_s is not None
    assert bound.first_token_s is None


def test_no_placement_no_speed(shape: Shapes, cards: dict[str, Card]) -> None:
    refused = fit(shape("qwen2-5-14b-instruct"), Workload(engine="vllm", tensor_parallel=16), cards["h200-sxm"], 16)
    assert speed(shape("qwen2-5-14b-instruct"), refused) is None


@pytest.mark.parametrize("prompt", [0, 10**9])
def test_a_prompt_lies_within_the_context(shape: Shapes, cards: dict[str, Card], prompt: int) -> None:
    with pytest.raises(HardwareError) as caught:
        speed(shape("qwen3-8b"), fit(shape("qwen3-8b"), Workload(), cards["rtx-4090"], 1), prompt_tokens=prompt)
    assert caught.value.field == "prompt_tokens"


@pytest.mark.parametrize(("engine", "count"), [("llama.cpp", 1), ("llama.cpp", 2), ("vllm", 2), ("transformers", 1)])
@pytest.mark.parametrize("model", ["llama-3-8b-instruct", "qwen3-30b-a3b"])
def test_decoding_alone_is_that_of_all_bounds(
    shape: Shapes, cards: dict[str, Card], model: str, engine: str, count: int
) -> None:
    found = fit(shape(model), Workload(engine=engine, context_tokens=4096), cards["rtx-4090"], count)
    bounds = speed(shape(model), found)
    assert bounds is not None
    assert _decoding(shape(model), found) == (bounds.sequence_tokens_per_s, bounds.bound)


def _decoding(of: Shape, found: Fit) -> tuple[float | None, str | None]:
    assert found.estimate is not None
    passed = engine_named(found.workload.engine).weight_bytes(of, found.estimate)
    return decoding(of, found.workload, passed, found.card, found.count, found.workload.context_tokens)


def test_a_step_of_diffusion_is_no_token(cards: dict[str, Card]) -> None:
    config = {"model_type": "sdar", "hidden_size": 2048, "num_hidden_layers": 28, "num_attention_heads": 16}
    sdar = read_config({**config, "intermediate_size": 6144, "vocab_size": 151936, "head_dim": 128})
    placed = fit(sdar, Workload(engine="transformers", context_tokens=1024), cards["rtx-4090"], 1)
    assert placed.state == "fits"
    assert speed(sdar, placed) is None
    assert _decoding(sdar, placed) == (None, None)
