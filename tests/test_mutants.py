"""What `make mutants` changes and runs is there, and it changes what its introduction says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from calculator.memory import ENGINES
from tests.mutants import EXCLUDED, PACKAGES, ROOT


@pytest.mark.parametrize("name", PACKAGES)
def test_the_code_and_the_tests_of_a_package_are_there(name: str) -> None:
    package = PACKAGES[name]
    assert package.code
    assert package.tests
    assert len(set(package.tests)) == len(package.tests)
    for path in (*package.code, *package.tests):
        assert (ROOT / path).exists(), path


def test_every_engine_and_all_that_engines_share_is_tried() -> None:
    tried = [Path(path) for package in PACKAGES.values() for path in package.code]
    for engine in ENGINES.values():
        assert Path("calculator/memory", engine.__name__.rpartition(".")[2]) in tried
    for path in (ROOT / "calculator" / "memory").glob("*.py"):
        assert path.relative_to(ROOT) in tried


@pytest.mark.parametrize(
    ("operator", "tried"),
    [
        ("core/NumberReplacer", True),
        ("core/ReplaceAndWithOr", True),
        ("core/ReplaceBinaryOperator_Add_Sub", True),
        ("core/ReplaceBinaryOperator_Mul_FloorDiv", True),
        ("core/ReplaceBinaryOperator_Add_Mul", False),
        ("core/ReplaceBinaryOperator_BitOr_Add", False),
        ("core/ReplaceComparisonOperator_Lt_LtE", True),
        ("core/ReplaceComparisonOperator_Eq_Lt", False),
        ("core/RemoveDecorator", False),
    ],
)
def test_operators_that_are_tried(operator: str, tried: bool) -> None:
    assert tried is not any(re.match(pattern, operator) for pattern in EXCLUDED)
