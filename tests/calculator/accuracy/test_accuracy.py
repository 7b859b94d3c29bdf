"""The bars that the published table has to stay above, and that the table says what the cases say."""

from __future__ import annotations

import pytest

from calculator.accuracy import NAIVE_FORMULAS, Case, Line, cases, summary
from calculator.accuracy.cases import reference_lines, reference_names
from calculator.accuracy.llama_cpp import ORIGIN
from calculator.accuracy.naive import nominal_bits
from calculator.accuracy.remarks import REMARKS

# engine, quantity -> least share of exact cases, most of the median error
BARS = {
    ("config.json", "parameters"): (1.0, 0.0),
    ("llama.cpp", "file_bytes"): (0.5, 0.0005),
    ("llama.cpp", "kv_cache"): (1.0, 0.0),
    ("llama.cpp", "state"): (1.0, 0.0),
    ("llama.cpp", "compute"): (0.0, 0.15),
    ("llama.cpp", "published_file"): (0.0, 0.005),  # metadata and vocabulary included, some megabytes
    ("llama.cpp", "total"): (0.0, 0.2),  # one model with some of its layers in RAM
    ("vllm", "weights"): (0.0, 0.01),
    ("vllm", "kv_tokens"): (0.5, 0.01),
    ("vllm", "total"): (0.0, 0.05),
    ("vllm", "activation"): (0.0, 0.5),  # constants and models of constants: few logs, old builds
    ("vllm", "workspaces"): (0.0, 0.5),
    ("vllm", "cuda_graphs"): (0.0, 0.5),
    ("transformers", "file_bytes"): (0.5, 0.01),
}


@pytest.fixture(scope="module")
def lines() -> dict[tuple[str, str], Line]:
    return {(line.engine, line.quantity): line for line in summary(cases()) if not line.formula}


def test_every_quantity_has_its_bar(lines: dict[tuple[str, str], Line]) -> None:
    assert set(lines) == set(BARS)


@pytest.mark.parametrize(("engine", "quantity"), BARS)
def test_bars(lines: dict[tuple[str, str], Line], engine: str, quantity: str) -> None:
    share, most = BARS[engine, quantity]
    line = lines[engine, quantity]
    assert line.exact >= share * line.cases, (
        f"{line.worst.model} {dict(line.worst.configuration)}: {line.worst_error:+.3%}"
    )
    assert line.median_error <= most


def test_every_file_is_within_the_bar() -> None:
    beyond = [
        case
        for case in cases()
        if case.engine == "llama.cpp" and case.quantity == "file_bytes" and abs(case.error) > 0.0005
    ]
    assert beyond == []


def test_vllm_weights_are_within_one_percent_or_explained() -> None:
    beyond = [
        case for case in cases() if (case.engine, case.quantity) == ("vllm", "weights") and abs(case.error) > 0.01
    ]
    assert [case.model for case in beyond if case.remark not in REMARKS] == []


def test_every_reference_line_is_a_case() -> None:
    assert len([case for case in cases() if case.quantity == "parameters"]) == len(
        list(reference_lines("llama_cpp.jsonl"))
    )
    measured = list(reference_lines("measured.jsonl"))
    assert len([case for case in cases() if case.origin != ORIGIN]) == len(measured)
    assert {line["config"] for line in measured} <= set(reference_names())


def test_only_addresses_are_cited() -> None:
    assert all(case.source is None or case.source.startswith("https://") for case in cases())
    assert all(not case.remark or case.remark in REMARKS for case in cases())


def test_a_line_of_the_table() -> None:
    def case(predicted: int, **naive: int) -> Case:
        return Case(
            model="m", engine="e", quantity="q", predicted=predicted, truth=100, resolution=1, naive=naive, origin="o"
        )

    ours, naive = summary([case(100), case(101, hidden_size=50), case(90, hidden_size=200)])
    assert (ours.formula, ours.cases, ours.exact, ours.median_error, ours.worst_error) == ("", 3, 2, 0.0, -0.1)
    assert (naive.formula, naive.cases, naive.exact, naive.median_error, naive.worst_error) == (
        "hidden_size",
        2,
        0,
        0.75,
        1.0,
    )


def test_naive_formulas_are_computed_on_our_cases() -> None:
    assert {formula for case in cases() for formula in case.naive} == set(NAIVE_FORMULAS)


@pytest.mark.parametrize(
    ("name", "bits"), [("Q4_K_M", 4), ("IQ2_XXS", 2), ("F16", 16), ("FP8-BLOCK", 8), ("NVFP4", 4), ("TQ1_0", 1)]
)
def test_bits_in_a_name(name: str, bits: int) -> None:
    assert nominal_bits(name) == bits
