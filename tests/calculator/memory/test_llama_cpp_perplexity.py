"""What formats cost in quality, against the ratios that the same page of llama.cpp prints in another table."""

from __future__ import annotations

import pytest

from calculator.memory.llama_cpp.perplexity import PLAIN, WITH_MATRIX, perplexity_rise
from calculator.memory.llama_cpp.presets import DEFAULT_TYPE

# tools/perplexity/README.md, "LLaMA 2 vs. LLaMA 3 Quantization comparison", row "Mean PPL ratio", columns "L3 8b".
RATIOS = {"Q2_K": 1.564849, "Q4_K_M": 1.028160, "Q6_K": 1.003490, "Q8_0": 1.000425}


@pytest.mark.parametrize(("weights", "ratio"), RATIOS.items())
def test_as_the_other_table_says(weights: str, ratio: float) -> None:
    assert perplexity_rise(weights) == pytest.approx(ratio - 1, abs=1e-5)


def test_every_format_is_one_of_llama_cpps() -> None:
    assert {*PLAIN, *WITH_MATRIX} <= set(DEFAULT_TYPE)


@pytest.mark.parametrize("weights", sorted(PLAIN.keys() & WITH_MATRIX.keys()))
def test_an_importance_matrix_helps(weights: str) -> None:
    plain, helped = perplexity_rise(weights), perplexity_rise(weights, importance_matrix=True)
    assert plain
    assert helped
    assert helped < plain


def test_unmeasured_is_unknown() -> None:
    assert perplexity_rise("MXFP4") is None
