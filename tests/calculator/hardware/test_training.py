"""Fine-tuning against the papers' own figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from calculator.architecture.shape import Dense, FullAttention, Layer, Shape, Tensor
from calculator.hardware import HardwareError, Training, TrainingEstimate, training_memory
from calculator.hardware.activations import token_bytes
from calculator.hardware.terms import NOTES, TERMS, TRAINING_PARTS

Shapes = Callable[[str], Shape]
GIB = 2**30


def part(estimate: TrainingEstimate, key: str) -> int:
    return next(part.bytes for part in estimate.parts if part.key == key)


def states(estimate: TrainingEstimate) -> int:
    """Model states: weights, gradients, optimizer."""
    return sum(part(estimate, key) for key in ("weights", "gradients", "optimizer"))


@pytest.mark.parametrize(
    ("change", "bytes_per_parameter"),
    [
        ({}, 16),  # ZeRO, arXiv:1910.02054, section 3.1: 2 + 2 + 12
        ({"fp32_gradients": True}, 18),  # Megatron-LM, features/dist_optimizer.md: bf16 parameters, fp32 gradients
        ({"zero_stage": 1, "devices": 64}, 4 + 12 / 64),  # ZeRO, figure 1: P_os
        ({"zero_stage": 2, "devices": 64}, 2 + 14 / 64),  # P_os+g
        ({"zero_stage": 3, "devices": 64}, 16 / 64),  # P_os+g+p
        ({"optimizer": "sgd"}, 8),  # 2 + 2 + master weights
    ],
)
def test_model_states(shape: Shapes, change: dict[str, object], bytes_per_parameter: float) -> None:
    model = shape("llama-3-8b-instruct")
    estimate = training_memory(model, replace(Training(method="full"), **change))  # type: ignore[arg-type]
    assert states(estimate) == model.total_parameters * bytes_per_parameter


def test_eight_bit_adam_saves_six_bytes(shape: Shapes) -> None:
    """Two bytes in place of eight (arXiv:2110.02861), and one scale per 256 values: 0.03 bytes."""
    model = shape("llama-3-8b-instruct")
    wide, narrow = (
        part(training_memory(model, Training(method="full", optimizer=optimizer)), "optimizer")
        for optimizer in ("adamw", "adamw_8bit")
    )
    assert wide - narrow == model.total_parameters * (6 - 8 / 256)


def test_lora_parameters(shape: Shapes) -> None:
    """PEFT prints 41,943,040 trainable parameters for Llama-3-8B at rank 16 on all linear layers."""
    model = shape("llama-3-8b-instruct")
    assert training_memory(model, Training(rank=16)).trained_parameters == 41_943_040
    attention = training_memory(model, Training(rank=16, targets="attention"))
    # q, k, v, o of 32 layers: 16 x (4096 + 4096) x 2 + 16 x (4096 + 1024) x 2
    assert attention.trained_parameters == 32 * 16 * 2 * (8192 + 5120)


def test_nf4_is_half_a_byte_and_an_eighth_of_a_bit(shape: Shapes) -> None:
    """QLoRA, arXiv:2305.14314, section 3: 0.127 bits of constants per parameter."""
    estimate = training_memory(shape("llama-3-8b-instruct"), Training(method="qlora"))
    nf4 = next(term for part in estimate.parts for term in part.terms if term.key == "weights_nf4")
    assert isinstance(nf4.values["parameters"], int)
    assert 8 * nf4.bytes / nf4.values["parameters"] == pytest.approx(4.127, abs=0.0001)


def test_qlora_fits_where_full_does_not(shape: Shapes) -> None:
    """QLoRA's abstract: a 65B model on one 48 GB card; full 16-bit fine-tuning takes more than 780 GB.

    Llama 3's vocabulary is four times LLaMA's, and PEFT keeps it in fp32, so the rank is 16 here and not 64.
    """
    model = shape("llama-3-3-70b-instruct")
    settings = Training(method="qlora", rank=16, sequence_tokens=512)
    assert training_memory(model, settings).per_device_bytes < 48 * GIB
    assert training_memory(model, Training(method="full", sequence_tokens=512)).per_device_bytes > 780e9
    assert part(training_memory(model, settings), "weights") < part(training_memory(model, Training()), "weights")


def gpt_layer(hidden: int) -> tuple[Shape, Layer]:
    """The layer of arXiv:2205.05198: multi-head attention and a feed-forward of 4h without gate."""
    attention = FullAttention(num_heads=8, num_kv_heads=8, head_dim=hidden // 8, value_head_dim=hidden // 8)
    layer = Layer(index=0, mixers=(attention,), feed_forward=Dense(intermediate_size=4 * hidden))
    square = [
        Tensor(role=role, shape=(hidden, hidden), layer=0) for role in ("attn_q", "attn_k", "attn_v", "attn_output")
    ]
    up = Tensor(role="ffn_up", shape=(4 * hidden, hidden), layer=0)
    down = Tensor(role="ffn_down", shape=(hidden, 4 * hidden), layer=0)
    shape = Shape(
        model_type="gpt",
        hidden_size=hidden,
        vocab_size=1000,
        context_tokens=1024,
        tied_embeddings=False,
        layers=(layer,),
        tensors=(*square, up, down),
        native_format="BF16",
    )
    return shape, layer


@pytest.mark.parametrize("hidden", [512, 4096])
def test_activations_of_the_papers_layer(hidden: int) -> None:
    """34 sbh (section 4.1) less the two dropout masks of one byte each: 32 bytes per hidden unit and token."""
    shape, layer = gpt_layer(hidden)
    assert token_bytes(shape, layer, shape.tensors) == 32 * hidden


def test_checkpointing_keeps_two_bytes_a_layer(shape: Shapes) -> None:
    """2 sbhL for the inputs (arXiv:2205.05198, section 5), and one layer's activations while it is computed again."""
    model = shape("llama-3-8b-instruct")
    estimate = training_memory(model, Training(sequence_tokens=1000, sequences=2))
    terms = {term.key: term.bytes for part in estimate.parts for term in part.terms}
    assert terms["checkpoints"] == 2 * 1000 * 2 * 4096 * 32
    everything = training_memory(model, Training(sequence_tokens=1000, sequences=2, gradient_checkpointing=False))
    assert part(everything, "activations") == 32 * terms["recomputed_layer"]


def test_logits_as_measured(shape: Shapes) -> None:
    """arXiv:2411.09009, table 1, baseline: 28,000 MiB for 8,192 tokens of a vocabulary of 256,000."""
    model = shape("llama-3-8b-instruct")
    estimate = training_memory(model, Training(sequence_tokens=8192))
    assert part(estimate, "logits") * 256_000 // model.vocab_size == 28_000 * 2**20


def test_a_tensor_counts_once_and_experts_all(shape: Shapes) -> None:
    """A mixture of experts trains and holds all experts, and keeps activations of the active ones alone."""
    model = shape("qwen3-30b-a3b")
    full = training_memory(model, Training(method="full"))
    assert full.trained_parameters == model.total_parameters
    dense_like = training_memory(model, Training(gradient_checkpointing=False))
    attention = 32 * 128 + 2 * 4 * 128 + 32 * 128  # outputs of q, k, v, and what the output projection reads
    experts = 128 + 8 * (2 + 1 + 1) * 768  # scores; 8 of 128 experts: gate and its activation, up, input of down
    assert part(dense_like, "activations") == 2048 * 48 * 2 * (attention + experts + 4 * 2048)  # and two norms


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("method", "magic"),
        ("optimizer", "adamant"),
        ("targets", "nothing"),
        ("zero_stage", 4),
        ("rank", 0),
        ("sequences", 10**9),
        ("sequence_tokens", 10**18),
        ("devices", 0),
    ],
)
def test_what_cannot_be_is_named(shape: Shapes, field: str, value: object) -> None:
    with pytest.raises(HardwareError) as caught:
        training_memory(shape("qwen3-8b"), replace(Training(), **{field: value}))  # type: ignore[arg-type]
    assert caught.value.field == field


@pytest.mark.parametrize("model", ["qwen3-30b-a3b", "deepseek-v3", "llama-3-8b-instruct"])
@pytest.mark.parametrize("method", ["full", "lora", "qlora"])
@pytest.mark.parametrize("optimizer", ["adamw", "adamw_8bit", "sgd"])
@pytest.mark.parametrize("checkpointing", [True, False])
def test_every_key_is_documented(shape: Shapes, model: str, method: str, optimizer: str, checkpointing: bool) -> None:
    settings = Training(
        method=method, optimizer=optimizer, gradient_checkpointing=checkpointing, zero_stage=3, devices=8
    )
    estimate = training_memory(shape(model), settings)
    assert tuple(part.key for part in estimate.parts) == TRAINING_PARTS
    for term in (term for part in estimate.parts for term in part.terms):
        assert set(term.values) == set(TERMS[term.key])
        assert term.bytes >= 0
    assert all(set(note.values) == set(NOTES[note.key]) for note in estimate.notes)
