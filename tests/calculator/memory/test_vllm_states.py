"""vLLM's recurrent states: how wide, how many a request holds, and which cards lay checkpoints inside a prompt."""

from __future__ import annotations

from typing import Any

import pytest

from calculator.architecture.mixers import FullAttention, LinearAttention, Mixer, ShortConvolution, StateSpace
from calculator.memory import Workload
from calculator.memory.vllm.draft import draft_layers
from calculator.memory.vllm.serving import Serving, limits
from calculator.memory.vllm.states import checkpoint_tokens, kept_states, state_bytes
from tests.calculator.memory.shapes import made_of

MAMBA = StateSpace(version=1, inner_size=256, state_size=16, conv_kernel=4, num_heads=1, head_dim=256, num_groups=1)
MAMBA_2 = StateSpace(version=2, inner_size=256, state_size=16, conv_kernel=4, num_heads=8, head_dim=32, num_groups=2)
CONVOLUTION = ShortConvolution(conv_kernel=3, conv_channels=128)


def linear(kind: str, **changes: Any) -> LinearAttention:
    sizes = {"num_key_heads": 2, "num_value_heads": 4, "key_head_dim": 128, "value_head_dim": 64}
    return LinearAttention(**{"kind": kind, **sizes, "conv_kernel": 4, "conv_channels": 512, **changes})


@pytest.mark.parametrize(
    ("mixer", "guessed", "size"),
    [
        (MAMBA, 0, (3 * 256 + 256 * 16) * 2),
        (MAMBA, 2, (3 * 256 + 256 * 16) * 2),  # Mamba takes no guesses
        (MAMBA_2, 0, (3 * (256 + 2 * 2 * 16) + 256 * 16) * 2),
        (MAMBA_2, 2, (5 * (256 + 2 * 2 * 16) + 256 * 16) * 2),
        (CONVOLUTION, 0, 2 * 128 * 2),
        (CONVOLUTION, 2, 4 * 128 * 2),
        (linear("gated_delta"), 0, (3 * 512 + 4 * 128 * 64) * 2),
        (linear("gated_delta"), 2, (5 * 512 + 4 * 128 * 64) * 2),
        (linear("lightning", conv_kernel=0, conv_channels=0), 2, 4 * 128 * 64 * 2),
    ],
)
def test_guessed_tokens_lengthen_the_convolution(mixer: Mixer, guessed: int, size: int) -> None:
    """`mamba_utils.py`: `conv_kernel - 1 + num_spec` inputs."""
    assert state_bytes(made_of(mixer), mixer, Serving("bf16", 1, guessed_tokens=guessed)) == size


@pytest.mark.parametrize(("stated", "width"), [("float32", 4), ("bfloat16", 2), ("float16", 2), ("float64", 2)])
def test_a_config_may_state_the_width(stated: str, width: int) -> None:
    mixer = linear("gated_delta", conv_kernel=0, conv_channels=0)
    shape = made_of(mixer, model_type="qwen3_5_text", state_dtype=stated)
    assert state_bytes(shape, mixer, Serving("bf16", 1)) == 4 * 128 * 64 * width


HOPPER, BLACKWELL, GB10, AMPERE = (9, 0), (10, 0), (12, 1), (8, 0)


@pytest.mark.parametrize(
    ("mixer", "capability", "kept"),
    [
        (MAMBA, HOPPER, 2),  # the running state and the last block's
        (CONVOLUTION, HOPPER, 2),
        (MAMBA_2, AMPERE, 3),  # and one inside the prompt
        (linear("lightning"), HOPPER, 2),
        (linear("gated_delta"), HOPPER, 3),
        (linear("gated_delta"), AMPERE, 2),
        (linear("gated_delta"), BLACKWELL, 3),
        (linear("gated_delta"), GB10, 3),
        (linear("gated_delta", key_head_dim=64), BLACKWELL, 2),  # FlashInfer's kernel there is for heads of 128
        (linear("gated_delta", key_head_dim=64), HOPPER, 3),
        (linear("kimi_delta"), HOPPER, 2),
        (linear("kimi_delta", bounded_gate=True), HOPPER, 3),
        (linear("kimi_delta", bounded_gate=True), AMPERE, 2),
        (linear("kimi_delta", bounded_gate=True), BLACKWELL, 3),
        (linear("kimi_delta", bounded_gate=True), GB10, 3),
        (linear("kimi_delta", bounded_gate=True), (11, 0), 2),
    ],
)
def test_how_many_states_a_request_holds(mixer: Mixer, capability: tuple[int, int], kept: int) -> None:
    assert kept_states(mixer, Serving("bf16", 1, capability)) == kept
    assert kept_states(mixer, Serving("bf16", 1, capability, guessed_tokens=2)) == kept + 2
    assert kept_states(mixer, Serving("bf16", 1, capability, prefix_caching=False)) == 1
    assert kept_states(mixer, Serving("bf16", 1, capability, prefix_caching=False, guessed_tokens=2)) == 3


FULL = FullAttention(num_heads=4, num_kv_heads=2, head_dim=32, value_head_dim=32)
DELTA = linear("gated_delta")


@pytest.mark.parametrize(
    ("mixers", "serving", "tokens"),
    [
        ((DELTA, FULL), Serving("bf16", 1), 64),
        ((DELTA, FULL), Serving("bf16", 1, AMPERE), 1),
        ((DELTA, FULL), Serving("bf16", 1, prefix_caching=False), 1),
        ((DELTA, MAMBA_2, FULL), Serving("bf16", 1), 1),  # not all recurrent layers are delta nets
        ((MAMBA_2, FULL), Serving("bf16", 1), 1),
        ((FULL,), Serving("bf16", 1), 1),
    ],
)
def test_blocks_end_where_checkpoints_lie(mixers: tuple[Mixer, ...], serving: Serving, tokens: int) -> None:
    assert checkpoint_tokens(made_of(*mixers), serving) == tokens


def test_prediction_layers_cache_once_they_are_asked_for() -> None:
    shape = made_of(FULL, FULL, mtp_mixers=((FULL,), (DELTA,)))
    assert draft_layers(shape, Serving("bf16", 1)) == ()
    found = draft_layers(shape, Serving("bf16", 1, guessed_tokens=1))
    assert [(layer, spec.kind) for layer, spec in found] == [(2, "full"), (3, "state")]


@pytest.mark.parametrize(
    ("name", "capability", "gib", "expected"),
    [
        ("NVIDIA A100-SXM4-80GB", AMPERE, 80, (2_048, 256)),
        ("NVIDIA H100 80GB HBM3", HOPPER, 80, (8_192, 1_024)),
        ("DGX Spark", GB10, 119, (2_048, 256)),
        ("RTX PRO 6000", (12, 0), 95, (8_192, 1_024)),
        (None, GB10, 160, (16_384, 1_024)),  # as large as that, no card is slow
        ("NVIDIA A100-SXM4-80GB", AMPERE, 40, (2_048, 256)),
    ],
)
def test_cards_that_are_slow_for_their_memory_keep_the_small_defaults(
    name: str | None, capability: tuple[int, int], gib: int, expected: tuple[int, int]
) -> None:
    card = Workload(engine="vllm", card_name=name, capability=capability, card_bytes=gib * 2**30)
    assert limits(card) == expected
