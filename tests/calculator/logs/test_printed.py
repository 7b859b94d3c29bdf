"""Every line that engines printed in public is read, with the figure in it; what people wrote about a run is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from calculator.logs import LogError, read_log

LINES = [json.loads(line) for line in (Path(__file__).parent / "printed.jsonl").read_text("utf-8").splitlines()]
OURS = {
    "weights": ("weights", "file_bytes"),
    "model_loading": ("weights",),
    "kv_cache": ("kv_cache", "pool", "context"),
    "recurrent_state": ("state", "state_pool"),
    "compute_buffer": ("compute",),
    "kv_tokens": ("kv_tokens",),
    "overhead": ("overhead", "activation", "non_torch", "cuda_graphs"),
    "total": ("total",),
}
TWO_SUMMED = {"m0640"}
"""Its quote holds two pools of states, which are summed; the record has the larger one."""


def test_there_are_many() -> None:
    assert sum(line["is_log"] for line in LINES) > 400


@pytest.mark.parametrize("line", [line for line in LINES if line["is_log"]], ids=lambda line: line["id"])
def test_the_figure_is_read(line: dict[str, Any]) -> None:
    reading = read_log(line["quote"])
    found = [each for each in reading.printed if each.quantity in OURS[line["quantity"]]]
    assert found
    slack = 2**27 if line["id"] in TWO_SUMMED else 2
    assert any(abs(each.value - line["value"]) <= each.resolution + slack for each in found)
    assert all(each.quote for each in reading.printed)


@pytest.mark.parametrize("line", [line for line in LINES if not line["is_log"]], ids=lambda line: line["id"])
def test_prose_is_refused_with_what_was_looked_for(line: dict[str, Any]) -> None:
    with pytest.raises(LogError) as caught:
        read_log(line["quote"])
    assert caught.value.key == "not_recognised"
    assert "GPU KV cache size: … tokens" in caught.value.values["looked_for"]  # type: ignore[operator]
