"""Which type a tensor gets, case by case."""

from __future__ import annotations

import pytest

from calculator.memory import Workload, estimate
from calculator.memory.llama_cpp.mixture import Recipe, Slot, Traits, choose_type, use_more_bits
from calculator.memory.llama_cpp.slots import category
from tests.calculator.memory.shapes import published

DENSE = Traits(tied=False, num_experts=0, query_groups=4)
MIXTRAL = DENSE._replace(num_experts=8)

# Bits per weight of Llama-3.1-8B in the README of llama.cpp's quantize tool, made without an importance matrix where
# the tool does not ask for one.
README_BITS = {
    "IQ1_S": 2.0042, "IQ1_M": 2.1460, "IQ2_XXS": 2.3824, "IQ2_XS": 2.5882, "IQ2_S": 2.7403, "IQ2_M": 2.9294,
    "IQ3_XS": 3.4977, "IQ3_S": 3.6606, "IQ3_M": 3.7628, "IQ4_XS": 4.4597, "IQ4_NL": 4.6818,
    "Q2_K": 3.1593, "Q2_K_S": 2.9697, "Q3_K_S": 3.6429, "Q3_K_L": 4.2979, "Q4_K_S": 4.6672, "Q4_K_M": 4.8944,
    "Q5_K_S": 5.5704, "Q5_K_M": 5.7036, "Q6_K": 6.5633, "Q8_0": 8.5008, "F16": 16.0005,
}  # fmt: skip


@pytest.mark.parametrize(("preset", "bits"), README_BITS.items())
def test_bits_per_weight_as_the_readme_prints_them(preset: str, bits: float) -> None:
    shape = published("llama-3-1-8b-instruct")
    answer = estimate(shape, Workload(weight_format=preset))
    assert round(answer.file_bytes * 8 / shape.total_parameters, 4) == bits


@pytest.mark.parametrize(
    ("preset", "plain", "with_matrix"),
    [
        ("IQ3_XXS", 3.3736, 3.2548),  # with one: the same README, which cannot make it without
        ("IQ4_XS", 4.4597, 4.4231),
        ("Q4_0", 4.6358, 4.6505),
        ("Q4_K_M", 4.8944, 4.8944),
    ],
)
def test_an_importance_matrix_changes_some_mixtures(preset: str, plain: float, with_matrix: float) -> None:
    shape = published("llama-3-1-8b-instruct")
    for matrix, bits in ((False, plain), (True, with_matrix)):
        answer = estimate(shape, Workload(weight_format=preset, importance_matrix=matrix))
        assert round(answer.file_bytes * 8 / shape.total_parameters, 4) == bits


@pytest.mark.parametrize(("preset", "gigabytes"), [("IQ4_XS", 37.90), ("Q4_0", 40.12), ("IQ3_M", 31.94)])
def test_published_files_are_made_with_one(preset: str, gigabytes: float) -> None:
    """A 70B of Llama 3.1 as bartowski publishes it; vocabulary and metadata come on top."""
    answer = estimate(published("llama-3-1-70b-instruct"), Workload(weight_format=preset, importance_matrix=True))
    assert 0 <= gigabytes - answer.file_bytes / 10**9 < 0.02


@pytest.mark.parametrize(
    ("preset", "slot", "model", "type_"),
    [
        ("Q4_K_M", Slot("output", 4096), DENSE, "Q6_K"),
        ("Q4_K_M", Slot("output", 1152), DENSE, "Q8_0"),  # no whole blocks of 256
        ("IQ2_XS", Slot("output", 4096), DENSE, "Q5_K"),
        ("Q8_0", Slot("output", 4096), DENSE, "Q8_0"),
        ("Q4_K_M", Slot("token_embd", 4096), DENSE, "Q4_K"),
        ("Q4_K_M", Slot("token_embd", 4096), DENSE._replace(tied=True), "Q6_K"),
        ("TQ1_0", Slot("token_embd", 4096), DENSE, "Q4_K"),
        ("Q4_K_M", Slot("v", 4096, more_bits=True), DENSE, "Q6_K"),
        ("Q4_K_M", Slot("v", 4096), DENSE._replace(is_70b=True), "Q5_K"),
        ("Q4_K_M", Slot("v", 4096, more_bits=True), MIXTRAL, "Q8_0"),
        ("Q4_K_M", Slot("o", 4096), MIXTRAL, "Q5_K"),
        ("Q2_K", Slot("v", 4096), DENSE._replace(query_groups=1), "Q3_K"),
        ("IQ2_M", Slot("down", 4096, first_eighth_counted=True), DENSE, "IQ3_S"),
        ("IQ3_XS", Slot("up", 4096, middle=True), DENSE, "IQ3_XXS"),
        ("Q3_K_M", Slot("down", 4096), DENSE._replace(is_falcon=True), "Q3_K"),
        ("MXFP4_MOE", Slot("down", 2880, stacked=True), DENSE, "MXFP4"),
        ("MXFP4_MOE", Slot("q", 2880), DENSE, "Q8_0"),
        ("Q4_K_M", Slot("q", 2880), DENSE, "Q5_0"),
        ("IQ3_S", Slot("q", 2880), DENSE, "IQ4_NL"),
        ("Q8_0", Slot("q", 72), DENSE, "F16"),
        ("Q8_0", Slot("source", 1, "F32"), DENSE, "F32"),
        ("F16", Slot("source", 1, "BF16"), DENSE, "BF16"),
        ("Q4_0", Slot("down", 4096, first_eighth=True), DENSE, "Q4_0"),  # Q4_1 with an importance matrix
    ],
)
def test_the_type_of_a_tensor(preset: str, slot: Slot, model: Traits, type_: str) -> None:
    assert choose_type(Recipe(preset), slot, model) == type_


def test_sixteen_of_thirty_two_layers_get_more_bits() -> None:
    assert sum(use_more_bits(layer, 32) for layer in range(32)) == 16
    assert sum(use_more_bits(layer, 28) for layer in range(28)) == 14


@pytest.mark.parametrize(
    ("role", "kind"),
    [
        ("attn_v", "v"),
        ("attn_qkv", "v"),
        ("attn_k", "k"),
        ("indexer.attn_k", "k"),
        ("attn_k_b", "other"),
        ("ffn_down_exps", "down"),
        ("ffn_gate_shexp", "gate"),
        ("per_layer_token_embd", "token_embd"),
        ("ssm_out", "other"),
    ],
)
def test_the_category_of_a_tensor(role: str, kind: str) -> None:
    assert category(role) == kind
