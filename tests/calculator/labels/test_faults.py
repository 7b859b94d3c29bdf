"""Every reason for which reading a config fails has a sentence."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from calculator import architecture
from calculator.labels.errors import CONFIG_FAULTS

RAISING = {"fail": 1, "fault": 1, "Fault": 1, "ConfigError": 1}  # name of the call -> place of the reason


def reasons() -> Iterator[str]:
    for path in Path(architecture.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in RAISING and len(node.args) > RAISING[name]:
                reason = node.args[RAISING[name]]
                if isinstance(reason, ast.Constant):
                    yield str(reason.value)


def test_every_reason_has_its_sentence() -> None:
    found = set(reasons())
    assert "unknown_key" in found
    assert found <= set(CONFIG_FAULTS)
