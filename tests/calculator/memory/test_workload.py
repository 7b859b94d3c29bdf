"""Workloads are keys of what is kept: equal where every field is, whatever was asked of them before."""

from __future__ import annotations

from dataclasses import fields

import pytest

from calculator.memory import Workload


@pytest.mark.parametrize("hashed", ["neither", "one", "both"])
def test_equal_fields_make_equal_workloads(hashed: str) -> None:
    one, other = Workload(context_tokens=4096), Workload().but(context_tokens=4096)
    for workload in {"neither": (), "one": (one,), "both": (one, other)}[hashed]:
        hash(workload)
    assert one == other
    assert hash(one) == hash(other)


@pytest.mark.parametrize("field", [field.name for field in fields(Workload)])
def test_one_field_tells_them_apart(field: str) -> None:
    assert Workload() != Workload().but(**{field: "another"})


def test_nothing_else_is_a_workload() -> None:
    assert Workload() != vars(Workload())
