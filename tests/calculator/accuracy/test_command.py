"""`manage.py accuracy` prints the summary that the accuracy page shows."""

from __future__ import annotations

import json
from io import StringIO

from django.core.management import call_command

from calculator.accuracy import cases, summary
from calculator.accuracy.remarks import REMARKS


def accuracy(*arguments: str) -> str:
    output = StringIO()
    call_command("accuracy", *arguments, stdout=output)
    return output.getvalue()


def test_one_row_a_line_of_the_summary() -> None:
    lines = summary(cases())
    header, *rows = accuracy().splitlines()
    assert header.split()[:4] == ["engine", "quantity", "formula", "cases"]
    assert " 20/20 " in next(row for row in rows if row.startswith("vllm") and "workspaces" in row)
    assert [row.split()[:3] for row in rows] == [[line.engine, line.quantity, line.formula or "ours"] for line in lines]


def test_json_holds_the_same() -> None:
    lines = summary(cases())
    answers = json.loads(accuracy("--json"))
    assert [(answer["cases"], answer["exact"]) for answer in answers] == [(line.cases, line.exact) for line in lines]
    assert [(answer["inside_interval"], answer["with_interval"]) for answer in answers] == [
        (line.inside, line.with_interval) for line in lines
    ]
    assert [answer["worst_error"] for answer in answers] == [line.worst_error for line in lines]


def test_cases_beyond_a_limit_are_listed() -> None:
    listed = accuracy("--beyond", "5").splitlines()[len(summary(cases())) + 1 :]
    assert len(listed) == sum(abs(case.error) > 0.05 for case in cases())


def test_causes_are_the_same_in_both_lists() -> None:
    """One of its own, one of `causes.jsonl`, one that nobody knows."""
    beyond, worst = accuracy("--beyond", "5"), accuracy("--worst", "60")
    for model, cause in (
        ("Qwen3-0.6B vLLM CUDA graphs", REMARKS["whole_alone"]),
        ("qwen3.5-122b vLLM CUDA graphs", REMARKS["constant_of_few_logs"]),
        ("Llama-3.1-8B vLLM activation peak (chunked 2048)", "cause not known"),
    ):
        for listed in (beyond, worst):
            assert [line for line in listed.splitlines() if model in line and line.endswith(f": {cause}")], model
