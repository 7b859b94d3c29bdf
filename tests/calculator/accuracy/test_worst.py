"""The cases furthest off, with their causes."""

from __future__ import annotations

import re
from dataclasses import replace

from calculator.accuracy import cases
from calculator.accuracy.references import reference_lines
from calculator.accuracy.remarks import REMARKS
from calculator.accuracy.worst import cause_of, means, worst
from calculator.labels.accuracy import REMARKS as SENTENCES


def test_the_worst_come_first_and_each_once() -> None:
    found = worst(cases(), 10)
    errors = [abs(miss.case.error) for miss in found]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] == max(abs(case.error) for case in cases())
    assert len({(miss.case.engine, miss.case.quantity, miss.case.model) for miss in found}) == 10


def test_none_and_all_can_be_asked_for() -> None:
    assert worst(cases(), 0) == []
    everything = worst(cases(), len(cases()))
    assert len(everything) == len({(case.engine, case.quantity, case.model) for case in cases() if case.error})


def test_every_cause_in_the_file_is_told_and_means_a_case() -> None:
    """A case with a remark of its own is not explained by the file."""
    for line in reference_lines("causes.jsonl"):
        assert line["remark"] in REMARKS
        assert any(means(line, case) and not case.remark for case in cases()), line


def test_a_build_is_blamed_where_the_row_says_which() -> None:
    """A version or a date; 0.9 is of May 2025."""
    rows = [line for line in reference_lines("measured.jsonl") if line.get("remark") == "older_build"]
    assert [line["id"] for line in rows] == ["m0612", "v022", "v023", "v024"]
    for line in rows:
        dated = re.fullmatch(r"vLLM of (\d{4}-\d\d)-\d\d", line["runtime"])
        assert dated, line["id"]
        assert dated[1] < "2025-05"


def test_what_nobody_knows_is_not_made_up() -> None:
    """A case without a remark has the cause of a line that agrees with it, else none."""
    found = {(miss.case.quantity, miss.cause) for miss in worst(cases(), 60)}
    assert ("cuda_graphs", "constant_of_few_logs") in found
    assert any(not cause for _, cause in found)
    case = next(case for case in cases() if case.engine == "vllm" and not case.remark)
    assert cause_of(replace(case, quantity="cuda_graphs")) == "constant_of_few_logs"
    assert cause_of(replace(case, quantity="cuda_graphs", engine="sglang")) == ""


def test_every_cause_has_a_sentence_for_readers() -> None:
    assert set(REMARKS) == set(SENTENCES)
