"""The table in the documentation is what the command prints."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

DOCS = Path(__file__).resolve().parents[3] / "docs"


@pytest.mark.parametrize("name", ["memory-model.md", "memory-model.zh-hans.md"])
@pytest.mark.parametrize("options", ["", "--verdicts", "--held-out", "--worst 10"])
def test_the_table_is_current(name: str, options: str) -> None:
    output = StringIO()
    call_command("accuracy", *options.split(), stdout=output)
    current = output.getvalue().strip() in (DOCS / name).read_text(encoding="utf-8")
    assert current, f"put the output of `python manage.py accuracy {options}` into docs/{name}"
