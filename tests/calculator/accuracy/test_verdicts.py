"""What was said in public to run or not to run: how often we agree, and that the rule is the page's own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from calculator.accuracy.references import measured_shape, reference_lines
from calculator.accuracy.remarks import REMARKS
from calculator.accuracy.verdicts import Verdict, _served, verdicts
from calculator.hardware import from_specification


def test_how_often_we_agree() -> None:
    """Of all but one, and of 17 with the whole interval on one side."""
    assert [verdict.id for verdict in verdicts() if not verdict.agrees] == ["r8"]
    assert sum(verdict.clear for verdict in verdicts() if verdict.agrees) == 17


@pytest.mark.parametrize("verdict", verdicts(), ids=lambda verdict: verdict.id)
def test_a_verdict_says_what_its_figures_say(verdict: Verdict) -> None:
    assert 0 < verdict.least_bytes <= verdict.predicted_bytes <= verdict.most_bytes
    assert not verdict.refused
    assert verdict.fits == (verdict.predicted_bytes <= verdict.offered_bytes)
    if verdict.engine != "vllm":  # what lies outside its share moves with the interval
        assert (verdict.state == "does_not_fit") == (verdict.least_bytes > verdict.offered_bytes)
        assert verdict.state != "fits" or verdict.most_bytes <= verdict.offered_bytes


def test_what_is_refused_does_not_fit() -> None:
    """However much memory there is: MLX runs on Apple's chips alone."""
    fitting = next(verdict for verdict in verdicts() if verdict.fits)
    assert not replace(fitting, refused=True).fits
    (line,) = (line for line in reference_lines("verdicts.jsonl") if line["id"] == "h1")
    card = from_specification(**{"slug": "", **line["card"], "usable_memory_gib": 1000.0})
    workload = {"context_tokens": 4096}
    answer = _served(measured_shape(line), {**line, "engine": "mlx", "workload": workload}, card)
    assert answer["refused"]
    assert 0 < answer["predicted_bytes"] < answer["offered_bytes"]


def test_both_kinds_are_there_and_each_is_told_once() -> None:
    found = list(reference_lines("verdicts.jsonl"))
    assert len({line["id"] for line in found}) == len(found)
    assert {line["ran"] for line in found} == {True, False}
    assert sum(not line["ran"] for line in found) >= 7


def test_what_is_assumed_is_said() -> None:
    for verdict in verdicts():
        assert not verdict.remark or verdict.remark in REMARKS
        assert verdict.agrees or verdict.remark  # a difference has its cause
        assert verdict.source is None or verdict.source.startswith("https://")


def test_an_engine_is_offered_no_more_than_it_is_told() -> None:
    """With 0.90 of a 24 GB card vLLM was left 0.54 GiB for a cache that needs 1.0. The card is not named: an H100's
    workspaces are assumed, some 0.05 GiB more than an RTX 3090's."""
    found = {verdict.id: verdict for verdict in verdicts()}
    short = found["r22"].predicted_bytes - found["r22"].offered_bytes
    assert short / 2**30 == pytest.approx(1.0 - 0.54, abs=0.11)
