"""Constants that were fitted: the fit itself, what it says of the numbers in use, and what is held out."""

from __future__ import annotations

import pytest

from calculator.accuracy.fitted import Constant, Line, Sample, _line, fit, lines
from calculator.labels.accuracy import CONSTANTS


def test_a_line_without_noise_is_found_again() -> None:
    samples = [Sample(str(x), (1, x), 7 + 3 * x) for x in (1, 10, 100)]
    assert fit(samples) == pytest.approx((7, 3))
    assert fit([Sample("a", (4,), 10)]) == pytest.approx((2.5,))


def test_errors_are_relative() -> None:
    """Two figures that contradict each other: the small one counts as much as the large one."""
    assert fit([Sample("a", (1,), 1), Sample("b", (1,), 100)]) == pytest.approx((1.01 / 1.0001,), rel=1e-6)


@pytest.mark.parametrize("features", [(1, 10), (1, 0)])
def test_what_is_not_settled_is_not_guessed(features: tuple[float, float]) -> None:
    """One figure, or one without several cards, does not tell two numbers apart."""
    assert fit([Sample("a", features, 5), Sample("b", features, 6)]) is None
    assert fit([]) is None


REACHED = {
    "cuda_keeps": 1.06,
    "llama_cpp_context": 1.57,
    "llama_cpp_overhead": 2.1,
    "vllm_graphs": 1.12,
    "vllm_workspaces": 1.24,
    "vllm_communication": 1.6,
}
"""Squares of the errors of the numbers in use, beside those of a fit to all figures."""


@pytest.mark.parametrize("line", lines(), ids=lambda line: line.constant.key)
def test_the_numbers_in_use_are_nearly_as_good_as_a_fit(line: Line) -> None:
    """They are round, and the larger where figures differ; the squares of relative errors favour the smaller ones."""
    assert line.constant.key in CONSTANTS
    assert len(line.refit) == len(line.constant.used)
    refit = Constant(line.constant.key, line.refit, line.constant.samples)
    assert 1 < _squares(line.constant) / _squares(refit) == pytest.approx(REACHED[line.constant.key], abs=0.01)


def test_what_is_held_out_is_predicted_worse() -> None:
    for line in lines():
        assert line.held_out_median is not None
        assert line.held_out_median > line.fitted_median, line.constant.key


def test_a_family_is_predicted_from_the_others_alone() -> None:
    """From 2 for 1, and from 1 for 2: off by 100 and by 50 percent."""
    apart = Constant("vllm_graphs", (1.5,), (Sample("a", (1,), 1), Sample("b", (1,), 2)))
    line = _line(apart)
    assert (line.fitted_median, line.fitted_worst) == pytest.approx((0.375, 0.5))
    assert (line.held_out_median, line.held_out_worst) == pytest.approx((0.75, 1))


def test_graphs_are_fitted_to_what_each_run_captured() -> None:
    """Pieces between layers and ends, times sizes; layers times sizes of whole graphs (`measured.jsonl`, vllm)."""
    (graphs,) = (line.constant for line in lines() if line.constant.key == "vllm_graphs")
    found = {(sample.family, *sample.features): sample.truth for sample in graphs.samples}
    both, pieces_alone, whole_alone = (29 * 51, 28 * 35), (65 * 7, 0), (0, 28 * 35)
    assert found["qwen2", *both] == pytest.approx(0.65 * 1024)
    assert found["qwen3_5_text", *pieces_alone] == pytest.approx(0.17 * 1024)
    assert found["qwen3", *whole_alone] == pytest.approx(0.13 * 1024)
    # An FP8 cache on a card of 12.0: FlashInfer's 394 MiB are in the printed 0.46 GiB, and are none of the graphs'.
    assert found["qwen3_5_text", 65 * 2, 64] == pytest.approx(0.46 * 1024 - 394)
    assert len(graphs.samples) == 9


def test_workspaces_are_fitted_to_runs_of_one_known_card() -> None:
    """RTX 4060, RTX 2060, T4 and seven runs on H100 (`measured.jsonl`), and an RTX 4090 (`constants.jsonl`)."""
    (workspaces,) = (line.constant for line in lines() if line.constant.key == "vllm_workspaces")
    assert sorted(sample.features for sample in workspaces.samples) == [(24,), (34,), (40,), (128,), *7 * [(132,)]]
    assert len({sample.family for sample in workspaces.samples}) == 5


def test_communication_is_what_workspaces_leave_on_several_cards() -> None:
    """On Hopper, and elsewhere: 0.30 GiB on two L40S, whose 142 multiprocessors hold 156 MiB."""
    (communication,) = (line.constant for line in lines() if line.constant.key == "vllm_communication")
    assert sorted(sample.features for sample in communication.samples) == 4 * [(0, 1)] + 2 * [(1, 0)]
    truths = [sample.truth for sample in communication.samples if sample.family == "qwen2"]
    assert truths[0] == pytest.approx(0.30 * 1024 - 156)


def test_constants_of_one_family_have_nothing_held_out() -> None:
    alone = Constant("vllm_graphs", (2.0,), (Sample("llama", (1,), 2), Sample("llama", (2,), 3)))
    assert _line(alone).held_out_median is None


def _squares(constant: Constant) -> float:
    return sum(
        (sum(n * f for n, f in zip(constant.used, sample.features, strict=True)) / sample.truth - 1) ** 2
        for sample in constant.samples
    )
