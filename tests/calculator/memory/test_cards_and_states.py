"""Every engine: what lies on the cards is what the parts say, part by part, and a state is as large as its layer."""

from __future__ import annotations

from typing import Any

import pytest

from calculator.architecture.mixers import LinearAttention
from calculator.memory import ENGINES, Workload, WorkloadError, estimate
from tests.calculator.memory.shapes import made_of, published

NAMES = (
    "llama-3-1-8b-instruct",
    "deepseek-v3",
    "gpt-oss-20b",
    "qwen3-next-80b-a3b-instruct",  # states beside a cache
    "falcon-h1-7b-instruct",  # both in one layer
    "gemma-3-27b-it",
    "mamba-2-8b-hf",  # states alone
)


REFUSED = {
    ("llama.cpp", "tensor_parallel"),
    ("transformers", "tensor_parallel"),
    ("mlx", "tensor_parallel"),
    ("mlx", "pipeline_parallel"),
}
"""What an engine does not offer of any model."""


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("split", [{}, {"tensor_parallel": 2}, {"pipeline_parallel": 2}, {"pipeline_parallel": 4}])
def test_the_cards_hold_what_the_parts_say(name: str, engine: str, split: dict[str, Any]) -> None:
    shape, workload = published(name), Workload(engine=engine, sequences=2, **split)
    if any((engine, field) in REFUSED for field in split):
        with pytest.raises(WorkloadError, match="not_supported"):
            estimate(shape, workload)
        return
    answer = estimate(shape, workload)
    if not answer.cards:
        assert answer.per_card_bytes == answer.total_bytes
        return
    for part in answer.parts:
        assert sum(card.get(part.key, 0) for card in answer.cards) == part.bytes, part.key
    assert answer.per_card_bytes == max(sum(card.values()) for card in answer.cards)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("kind", "width"), [("gated_delta", None), ("kimi_delta", 4)])
def test_a_state_is_as_wide_as_its_keys_and_values(engine: str, kind: str, width: int | None) -> None:
    """Heads x keys x values, none of them equal: twice the values make twice the state, twice the keys as well."""

    def state(keys: int, values: int) -> int:
        mixer = LinearAttention(
            kind=kind,
            num_key_heads=2,
            num_value_heads=4,
            key_head_dim=keys,
            value_head_dim=values,
            conv_kernel=4,
            conv_channels=512,
        )
        shape = made_of(mixer, mixer, model_type="qwen3_next" if kind == "gated_delta" else "kimi_linear")
        return estimate(shape, Workload(engine=engine, context_tokens=1024)).part("state").bytes

    narrow, wide, tall = state(64, 128), state(64, 256), state(128, 128)
    assert wide - narrow == tall - narrow > 0
    if width is not None and engine != "vllm":  # whose blocks are padded
        assert (wide - narrow) % (width * 4 * 64 * 128) == 0
