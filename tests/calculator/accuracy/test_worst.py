"""The cases furthest off, with their causes."""

from __future__ import annotations

from calculator.accuracy import cases
from calculator.accuracy.references import reference_lines
from calculator.accuracy.remarks import REMARKS
from calculator.accuracy.worst import worst
from calculator.labels.accuracy import REMARKS as SENTENCES


def test_the_worst_come_first_and_each_once() -> None:
    found = worst(cases(), 10)
    errors = [abs(miss.case.error) for miss in found]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] == max(abs(case.error) for case in cases())
    assert len({(miss.case.engine, miss.case.quantity, miss.case.model) for miss in found}) == 10


def test_every_cause_in_the_file_is_told_and_means_a_case() -> None:
    for line in reference_lines("causes.jsonl"):
        assert line["remark"] in REMARKS
        assert any(
            all(getattr(case, key) == line[key] for key in ("engine", "quantity", "model") if key in line)
            for case in cases()
        )


def test_a_cause_needs_the_settings_that_it_names() -> None:
    causes = {(miss.case.model, miss.cause) for miss in worst(cases(), 40)}
    assert ("minicpm3-4b", "attention_in_ram") in causes
    assert ("gemma-4-e4b-it", "") in causes  # nobody knows, and nothing is made up


def test_every_cause_has_a_sentence_for_readers() -> None:
    assert set(REMARKS) == set(SENTENCES)
