"""The closed rule for kinds of layers whose graph is not known: multiples of the model's sizes, by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from calculator.architecture.shape import LatentAttention, LinearAttention, Mixer, ShortConvolution, StateSpace
from calculator.memory import Workload, estimate
from calculator.memory.llama_cpp.widths import widest_layer
from tests.calculator.memory.shapes import catalogued, made_of

LATENT = LatentAttention(
    num_heads=8, q_lora_rank=None, kv_lora_rank=64, qk_nope_head_dim=48, qk_rope_head_dim=16, value_head_dim=40
)
LINEAR = LinearAttention(
    kind="kda", num_key_heads=4, num_value_heads=4, key_head_dim=64, value_head_dim=64, conv_kernel=4, conv_channels=768
)
MAMBA = StateSpace(version=2, inner_size=512, state_size=32, conv_kernel=4, num_heads=8, head_dim=64, num_groups=2)


@pytest.mark.parametrize(
    ("mixer", "model_type", "elements"),
    [
        (LATENT, "deepseek_v3", 4 * 128 + 8 * (2 * (64 + 16) + 48 + 40)),  # latents of every head, key and value
        (LATENT, "minicpm3", 4 * 128 + 3 * 8 * (48 + 16)),  # queries, keys and values of whole heads
        (LINEAR, "kimi_linear", 3 * 128 + 3 * 768),
        (MAMBA, "mamba2", 128 + 3 * 512 + 3 * (512 + 2 * 2 * 32)),
        (replace(MAMBA, version=1), "mamba", 128 + 3 * 512 + 3 * 512),
        (ShortConvolution(conv_kernel=3, conv_channels=300), "lfm2", 5 * 128 + 3 * 300),
    ],
)
def test_the_widest_moment_of_a_mixer(mixer: Mixer, model_type: str, elements: int) -> None:
    """A hidden size of 128; the feed-forward of these models, 256 + 3 x 128 and an output, is narrower."""
    assert widest_layer(made_of(mixer, model_type=model_type)) == elements


@pytest.mark.parametrize(("flash", "width"), [(True, 2), (False, 4)])
def test_the_mask_of_a_model_that_is_not_traced(flash: bool, width: int) -> None:
    """512 tokens x 8,192 cells: a half each with flash attention, a float without (`build_attn_inp_kv`)."""
    shape = catalogued("moonshot/kimi-linear-48b-a3b-instruct")
    terms = estimate(shape, Workload(context_tokens=8_192, flash_attention=flash)).part("compute").terms
    assert [term.bytes for term in terms if term.key == "attention_masks"] == [width * 512 * 8_192]


def test_a_model_without_a_cache_has_no_mask() -> None:
    terms = estimate(made_of(LINEAR, model_type="kimi_linear"), Workload(context_tokens=512)).part("compute").terms
    assert "attention_masks" not in {term.key for term in terms}
