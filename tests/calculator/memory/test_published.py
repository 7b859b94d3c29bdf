"""What published checkpoints of one format weigh: between two habits of leaving matrices wide."""

from __future__ import annotations

import json

import pytest

from calculator.architecture import read_config
from calculator.labels.notes import note_text
from calculator.memory import Workload, estimate
from calculator.memory.published import format_range
from tests.calculator.memory.shapes import published
from tests.reference.brought import FILES


def test_both_habits_of_one_name() -> None:
    """Gemma 4 31B in NVFP4: 31.48 GB as NVIDIA publishes it, attention in 16 bits; 18.5 GiB of another that narrows it
    (LilaRest/gemma-4-31B-it-NVFP4-turbo, measured with the encoder in 16 bits: `tests/reference/files/right.jsonl`)."""
    config = json.loads((FILES / "w-gemma4-31b-nvfp4.json").read_text(encoding="utf-8"))
    del config["quantization_config"]
    found = format_range(read_config(config), "NVFP4")
    assert found is not None
    assert found[1] == pytest.approx(31_481_904_696, rel=1e-5)
    assert 18.5 * 2**30 - 1.2e9 < found[0] < 18.5 * 2**30


@pytest.mark.parametrize("weights", ["FP8", "AWQ", "NVFP4"])
def test_the_least_is_what_is_counted(weights: str) -> None:
    shape = published("llama-3-1-8b-instruct")
    found, answer = format_range(shape, weights), estimate(shape, Workload(engine="vllm", weight_format=weights))
    assert found is not None
    assert found[0] == answer.file_bytes < found[1]
    (note,) = (note for note in answer.notes if note.key == "format_range")
    assert weights in note_text(note)


@pytest.mark.parametrize(("name", "weights"), [("llama-3-1-8b-instruct", "BF16"), ("deepseek-v3", "FP8")])
def test_a_wide_checkpoint_and_one_that_is_narrow_itself_have_no_range(name: str, weights: str) -> None:
    shape = published(name)
    assert format_range(shape, shape.native_format if name == "deepseek-v3" else weights) is None
