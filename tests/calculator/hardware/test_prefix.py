"""A shared prefix is held once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from calculator.architecture import Shape
from calculator.hardware import HardwareError, Saving, prefix_saving
from calculator.memory import Workload

Shapes = Callable[[str], Shape]


def test_full_attention_shares_every_block_of_the_prefix(shape: Shapes) -> None:
    """Qwen3-8B: 36 layers x 8 heads x (128 + 128) x 2 bytes a token; 9 of 10 sequences save 1,000 tokens' blocks."""
    workload = Workload(engine="vllm", context_tokens=4096, sequences=10)
    saving = prefix_saving(shape("qwen3-8b"), workload, 1000)
    assert saving.total_bytes == 9 * 992 * 36 * 8 * 256 * 2
    assert saving.per_device_bytes == saving.total_bytes


def test_windows_share_only_what_they_still_see(shape: Shapes) -> None:
    """gpt-oss: half the layers see 128 tokens, and 4,096 tokens after the prefix they see none of it."""
    workload = Workload(engine="vllm", context_tokens=16384, sequences=2)
    saving = prefix_saving(shape("gpt-oss-120b"), workload, 8192)
    full_layers = 18 * 8 * 128 * 2 * 8192
    assert saving.total_bytes == full_layers


@pytest.mark.parametrize(
    ("engine", "sequences", "prefix"), [("llama.cpp", 10, 1000), ("vllm", 1, 1000), ("vllm", 10, 0), ("vllm", 10, 15)]
)
def test_nothing_to_share(shape: Shapes, engine: str, sequences: int, prefix: int) -> None:
    workload = Workload(engine=engine, sequences=sequences)
    assert prefix_saving(shape("qwen3-8b"), workload, prefix) == Saving(0, 0)


@pytest.mark.parametrize("prefix", [-1, 10_000])
def test_a_prefix_lies_within_the_context(shape: Shapes, prefix: int) -> None:
    with pytest.raises(HardwareError) as caught:
        prefix_saving(shape("qwen3-8b"), Workload(engine="vllm"), prefix)
    assert caught.value.field == "prefix_tokens"
