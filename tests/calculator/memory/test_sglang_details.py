"""What SGLang 0.5.23 counts in small steps: sizes of captured prefills, widths of states and caches, what it says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from calculator.architecture.shape import LinearAttention
from calculator.memory import Workload, estimate
from calculator.memory.sglang.layers import Layout, kept_by
from calculator.memory.sglang.server import prefill_graphs
from tests.calculator.memory.shapes import catalogued

GIB = 2**30


@pytest.mark.parametrize(
    ("tokens", "sizes"),
    [
        # `generate_prefill_cuda_graph_batch_sizes`: 4, 8 .. 32; 48, 64 .. 256; then by 32, by 64 from 576, by 256
        # from 1,280, by 512 from 4,608
        (256, 8 + 14),
        (319, 8 + 14 + 1),
        (639, 8 + 14 + 8 + 1),
        (1535, 8 + 14 + 8 + 8 + 1),
        (5119, 8 + 14 + 8 + 8 + 12 + 1),
    ],
)
def test_a_size_of_prefill_is_captured_once_a_chunk_reaches_it(tokens: int, sizes: int) -> None:
    assert prefill_graphs(tokens) == sizes


@pytest.mark.parametrize(("stated", "width"), [("float32", 4), ("bfloat16", 2), ("float16", 2), (None, 4)])
def test_a_state_is_as_wide_as_the_config_says(stated: str | None, width: int) -> None:
    """`mamba2_state_dtype`: Qwen3-Next's 32 heads of 128 x 128, beside a convolution that is BF16 in any case."""
    shape = replace(catalogued("qwen/qwen3-next-80b-a3b-instruct"), state_dtype=stated)
    mixer = next(each for layer in shape.layers for each in layer.mixers if isinstance(each, LinearAttention))
    convolution = (2 * 16 + 32) * 128 * 3 * 2
    assert kept_by(shape, mixer, Layout("bf16", 1)).bytes == 32 * 128 * 128 * width + convolution


def test_gigachat_keeps_states_without_snapshots() -> None:
    """`configs/gigachat35.py` registers no extra buffer: three states of 30 layers for a sequence and one slot for
    padding, each 64 heads of 128 x 128 in 32 bits and three inputs of a convolution; ten layers keep a latent."""
    answer = estimate(catalogued("aisage/gigachat3-5-432b-a28b"), Workload(engine="sglang", context_tokens=4096))
    one = 64 * 128 * 128 * 4 + (2 * 32 + 64) * 128 * 3 * 2
    assert answer.part("state").bytes == 4 * 30 * one
    assert answer.part("kv_cache").bytes == 10 * (4096 + 1) * (512 + 64) * 2


def test_both_16_bit_caches_are_as_large_and_fp8_is_half() -> None:
    wide = catalogued("qwen/qwen3-8b")
    asked = [(wide, None), (replace(wide, native_format="FP16"), None), (wide, "fp8_e4m3"), (wide, "fp8_e5m2")]
    answers = [estimate(shape, Workload(engine="sglang", kv_format=name)) for shape, name in asked]
    assert [answer.workload.kv_format for answer in answers] == ["bf16", "f16", "fp8_e4m3", "fp8_e5m2"]
    sizes = [answer.part("kv_cache").bytes for answer in answers]
    assert sizes == [sizes[0], sizes[0], sizes[0] // 2, sizes[0] // 2]


def test_the_share_of_a_card_is_said_in_percent() -> None:
    """24 GiB less 512 MiB, 1.5 for each of 4,096 tokens, 128 a rank, 2 for each of 48 sequences, 8 for 50 graphs."""
    answer = estimate(catalogued("qwen/qwen3-8b"), Workload(engine="sglang", card_bytes=24 * GIB))
    (said,) = (note.values for note in answer.notes if note.key == "sglang_static")
    assert said["percent"] == f"{100 * (24_576 - 512 - 6144 - 128 - 96 - 400) / 24_576:.1f}"
