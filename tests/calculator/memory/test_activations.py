"""Elements per token of the widest moment of a forward pass, by hand from each config."""

from __future__ import annotations

from dataclasses import replace

import pytest

from calculator.architecture.shape import ShortConvolution
from calculator.memory.activations import expert_workspaces, widest_layer
from tests.calculator.memory.shapes import catalogued, made_of, published, tiny_llama

WIDEST = [
    # Three rows of the hidden size, and the wider of mixer and feed-forward. Gate, up and their product:
    ("llama-3-3-70b-instruct", 1, 3 * 8_192 + 3 * 28_672),
    ("llama-3-3-70b-instruct", 8, 3 * 8_192 + 3 * 28_672 // 8),
    # Two workspaces for each of 8 experts: the wider of 768 and 2,048, and of 2 x 768 and 2,048
    ("qwen3-30b-a3b", 1, 3 * 2_048 + 8 * (2_048 + 2_048)),
    # ... of 2,048 and 7,168, of 4,096 and 7,168; and a shared expert of 2,048
    ("deepseek/deepseek-v3", 1, 3 * 7_168 + 8 * (7_168 + 7_168) + 3 * 2_048),
    ("deepseek/deepseek-v3", 8, 3 * 7_168 + 8 * (7_168 + 7_168) + 3 * 2_048 // 8),
    # 2 experts of 14,336, and a rank's half of them
    ("mixtral-8x7b-instruct-v0-1", 1, 3 * 4_096 + 2 * (14_336 + 28_672)),
    ("mixtral-8x7b-instruct-v0-1", 2, 3 * 4_096 + 2 * (7_168 + 14_336)),
    # Nemotron 3 Super: 22 experts of 2,688 in a latent width of 1,024, and a shared one of 5,376
    ("nvidia-nemotron-3-super-120b-a12b-bf16", 1, 3 * 4_096 + 22 * (2_688 + 5_376) + 3 * 5_376),
    # Mamba-2 without feed-forward: 4 x 8,192 and 2 x 8 groups of 128
    ("mamba-codestral-7b-v0-1", 1, 3 * 4_096 + 4 * 8_192 + 2 * 8 * 128),
    ("mamba-codestral-7b-v0-1", 2, 3 * 4_096 + (4 * 8_192 + 2 * 8 * 128) // 2),
]


@pytest.mark.parametrize(("name", "ranks", "elements"), WIDEST)
def test_the_widest_layer(name: str, ranks: int, elements: int) -> None:
    shape = catalogued(name) if "/" in name else published(name)
    assert widest_layer(shape, ranks) == elements


WORKSPACES = [
    # model, slices of an expert, both workspaces for a token, and the widest layer without them on as many ranks: its
    # own result and the shared expert's widths, or the mixer where that is wider
    ("qwen3-30b-a3b", 1, 8 * (2_048 + 2_048), 3 * 2_048 + 32 * 128 + 4 * (128 + 128) + 32 * 128),
    ("mixtral-8x7b-instruct-v0-1", 2, 2 * (7_168 + 14_336), 3 * 4_096 + (4_096 + 8 * 256 + 4_096) // 2),
    ("nvidia-nemotron-3-super-120b-a12b-bf16", 1, 22 * (2_688 + 5_376), 3 * 4_096 + 4 * 8_192 + 2 * 8 * 128),
    ("llama-3-3-70b-instruct", 1, 0, 3 * 8_192 + 3 * 28_672),
]


@pytest.mark.parametrize(("name", "slices", "workspaces", "rest"), WORKSPACES)
def test_the_workspaces_of_experts_apart(name: str, slices: int, workspaces: int, rest: int) -> None:
    """`workspace_shapes` of vLLM's `fused_moe/experts/triton_moe.py`."""
    shape = published(name)
    assert expert_workspaces(shape, slices) == workspaces
    assert widest_layer(shape, slices, workspaces_apart=True) == rest


MIXERS = [
    # model, layer, elements of its mixer: projections in, and the result before the output projection
    ("llama-3-3-70b-instruct", 0, 64 * 128 + 8 * (128 + 128) + 64 * 128),
    ("deepseek/deepseek-v3", 0, 128 * (2 * (128 + 64) + 2 * 128)),
    ("deepseek/deepseek-v4-flash", 0, 2 * (64 + 1) * 512),
    ("qwen3-next-80b-a3b-instruct", 0, 2 * (2 * 2_048 + 4_096) + 2 * 32 * 128),
    ("mamba-codestral-7b-v0-1", 0, 4 * 8_192 + 2 * 8 * 128),
]


@pytest.mark.parametrize(("name", "layer", "elements"), MIXERS)
def test_the_width_of_a_mixer(name: str, layer: int, elements: int) -> None:
    """Beside a feed-forward of 256, and of a hidden size of 128."""
    shape = catalogued(name) if "/" in name else published(name)
    mixers = shape.layers[layer].mixers
    assert widest_layer(made_of(*mixers)) == 3 * 128 + max(elements, 3 * 256)


def test_mixers_side_by_side_work_at_once() -> None:
    """Falcon-H1 7B: 12 and 2 heads of 128 beside Mamba-2 of 3,072 with one group of 256."""
    mixers = published("falcon-h1-7b-instruct").layers[0].mixers
    alone = made_of(mixers[0])
    together = replace(alone, layers=(replace(alone.layers[0], mixers=mixers),))
    attention, mamba = 12 * 128 + 2 * 256 + 12 * 128, 4 * 3_072 + 2 * 256
    assert widest_layer(alone) == 3 * 128 + attention
    assert widest_layer(together) == 3 * 128 + attention + mamba


def test_what_is_narrower_than_the_feed_forward_does_not_count() -> None:
    assert widest_layer(made_of(ShortConvolution(conv_kernel=3, conv_channels=128))) == 3 * 128 + 3 * 256
    assert widest_layer(tiny_llama()) == 3 * 256 + 3 * 512
