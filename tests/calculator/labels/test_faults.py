"""Every reason for which reading a config fails has a sentence."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from calculator import architecture
from calculator.labels.errors import CONFIG_FAULTS

RAISING = {"fail": 1, "fault": 1, "Fault": 1, "ConfigError": 1}  # name of the call -> place of the reason


def raised() -> Iterator[tuple[str, set[str]]]:
    """Each reason that the code gives, with the names of the values that come with it."""
    for path in Path(architecture.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name not in RAISING or len(node.args) <= RAISING[name]:
                continue
            reason, *rest = node.args[RAISING[name] :]
            if isinstance(reason, ast.Constant):
                named = {keyword.arg or "" for keyword in node.keywords}
                keys = [key for arg in rest if isinstance(arg, ast.Dict) for key in arg.keys]
                given = {str(key.value) for key in keys if isinstance(key, ast.Constant)}
                yield str(reason.value), named | given


def test_every_reason_has_its_sentence_and_what_the_sentence_repeats() -> None:
    found = list(raised())
    assert "unknown_key" in dict(found)
    assert {reason for reason, _values in found} <= set(CONFIG_FAULTS)
    for reason, values in found:
        needed = set(re.findall(r"%\((\w+)\)", str(CONFIG_FAULTS[reason])))
        assert needed <= values or "" in values, reason  # "" stands for `**values`
