"""Whatever the text: a reading or a `LogError`, and nothing of unbounded size."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calculator.logs import MAX_BYTES, LogError, read_log
from calculator.logs.terms import ERRORS, FAILURES, QUANTITIES, TRAITS
from calculator.logs.text import MAX_LINE, MAX_LINES
from tests.calculator.logs.samples import NAMES, sample

LINES = [line for name in NAMES for line in sample(name).splitlines()]
LONGEST_QUOTE = 400


def fine(text: str) -> None:
    refused = None
    try:
        reading = read_log(text)
    except LogError as error:
        refused = error
    if refused is not None:
        assert set(refused.values) == set(ERRORS[refused.key])
        return
    assert all(each.quantity in QUANTITIES and len(each.quote) <= LONGEST_QUOTE for each in reading.printed)
    assert all(each.value >= 0 and each.resolution >= 0 for each in reading.printed)
    assert reading.traits <= set(TRAITS)
    if reading.failure:
        assert set(reading.failure.values) <= set(FAILURES[reading.failure.key])


@given(st.text())
def test_any_text(text: str) -> None:
    fine(text)


@given(st.lists(st.sampled_from(LINES) | st.text(max_size=40), max_size=30))
def test_any_lines_of_logs_in_any_order(lines: list[str]) -> None:
    fine("\n".join(lines))


@given(st.sampled_from(LINES), st.data())
def test_lines_with_a_piece_torn_out_or_put_in(line: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(line)))
    end = data.draw(st.integers(start, len(line)))
    fine(line[:start] + data.draw(st.text(max_size=8)) + line[end:])


@given(st.sampled_from(LINES), st.integers(0, 10**30))
def test_lines_with_other_numbers(line: str, number: int) -> None:
    fine("".join(str(number) if sign.isdigit() else sign for sign in line))


@pytest.mark.parametrize("piece", ["1", " ", "a", "--a-", "print_info: ", "size = ", "\x1b[", "GiB for ", "| ", "="])
def test_long_lines_are_cut_off(piece: str) -> None:
    fine("vllm " + piece * MAX_LINE)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", "empty"),
        (" \n\t\n", "empty"),
        ("x" * (MAX_BYTES + 1), "too_large"),
        ("x\n" * (MAX_LINES + 1), "too_many_lines"),
        ("To whom it may concern: vllm is nice.", "not_recognised"),
        ("\0" * 100, "not_recognised"),
    ],
)
def test_refusals(text: str, key: str) -> None:
    with pytest.raises(LogError) as caught:
        read_log(text)
    assert caught.value.key == key
