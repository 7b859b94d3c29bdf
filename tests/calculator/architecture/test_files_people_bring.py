"""Files as people bring them: what is right of each, and why, stands in `tests/reference/files/right.jsonl`."""

from __future__ import annotations

from typing import Any

import pytest

from calculator.architecture import ConfigError, parse_config_text, read_config
from calculator.labels import assumption_text, config_error_texts
from tests.reference.brought import FILES, answer, is_right, rows


@pytest.mark.parametrize("row", [pytest.param(row, id=row["file"]) for row in rows()])
def test_a_file_is_answered_rightly(row: dict[str, Any]) -> None:
    said = answer(row["file"])
    assert is_right(row, said), said


@pytest.mark.parametrize(
    "path", sorted(FILES.glob("*.json")) + sorted(FILES.glob("*.gguf")), ids=lambda path: path.name
)
def test_every_file_is_read_or_refused_in_words(path: Any) -> None:
    """Nothing that is read is assumed in silence, and nothing raises anything else."""
    try:
        shape = read_config(parse_config_text(path.read_bytes()))
    except ConfigError as error:
        texts = config_error_texts(error)
    else:
        texts = [assumption_text(key) for key in shape.assumptions]
        assert shape.total_parameters > 0
    assert all(texts)
