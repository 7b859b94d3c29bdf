"""Values of a config in messages."""

from __future__ import annotations

import json


def in_json(value: object) -> str:
    """A value as the file writes it, cut: the text "4096" is told from the number 4096."""
    try:
        return json.dumps(value, ensure_ascii=False)[:40]
    except (TypeError, ValueError):  # what no file holds
        return repr(value)[:40]


def short(value: object) -> object:
    """A value fit for a message: numbers and words as they are, everything cut."""
    text = value if isinstance(value, str) else repr(value)
    return value if isinstance(value, (int, float)) and len(text) <= 40 else text[:40]
