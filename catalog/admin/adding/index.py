"""The index of a checkpoint in several files (`model.safetensors.index.json`): how many numbers it stores."""

from __future__ import annotations

import json
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

MAX_BYTES = 32_000_000  # the longest published one (Kimi K2, a line for each of its experts) has 15 MB
MAX_BRACKETS = 64  # such a file nests two deep
OTHER_FILE = gettext_noop("This is not a model.safetensors.index.json: it has no “metadata” and “weight_map”.")
WIDE = {"BF16": 2, "F16": 2, "FP16": 2, "F32": 4}  # bytes of a number where all are stored alike


class UnreadableIndexError(ValueError):
    """Said in the editor's language."""


def stored_numbers(raw: bytes, native_format: str) -> int | None:
    """Numbers in the checkpoint: as the index states them, or by its bytes where every number takes as many."""
    if len(raw) > MAX_BYTES:
        raise UnreadableIndexError(_("The index is longer than %(limit)s MB.") % {"limit": MAX_BYTES // 10**6})
    stated = _metadata(raw)
    numbers, size = stated.get("total_parameters"), stated.get("total_size")
    if isinstance(numbers, int) and numbers > 0:
        return numbers
    width = WIDE.get(native_format)
    if isinstance(size, int | float) and size > 0 and width:
        return int(size) // width
    return None


def _metadata(raw: bytes) -> dict[str, Any]:
    if raw.count(b"[") + raw.count(b"{") > MAX_BRACKETS:
        raise UnreadableIndexError(_(OTHER_FILE))
    try:
        index = json.loads(raw)
    except (ValueError, RecursionError):
        raise UnreadableIndexError(_("The index is not valid JSON.")) from None
    if not isinstance(index, dict) or not isinstance(index.get("metadata"), dict) or "weight_map" not in index:
        raise UnreadableIndexError(_(OTHER_FILE))
    metadata: dict[str, Any] = index["metadata"]
    return metadata
