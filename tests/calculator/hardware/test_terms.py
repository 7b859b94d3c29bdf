"""Every key that the package returns is documented with its values: the web layer translates from that list."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from calculator.architecture import Shape
from calculator.hardware import Card, fit_all, speed
from calculator.hardware.terms import BOUNDS, NOTES, REASONS, STATES
from calculator.memory import Workload
from calculator.memory.terms import ERRORS

Shapes = Callable[[str], Shape]


@pytest.mark.parametrize("engine", ["llama.cpp", "vllm", "transformers"])
@pytest.mark.parametrize("model", ["qwen3-30b-a3b", "deepseek-v3", "qwen2-5-14b-instruct"])
def test_keys_of_fit_and_speed(shape: Shapes, cards: dict[str, Card], model: str, engine: str) -> None:
    for answer in fit_all(shape(model), Workload(engine=engine, sequences=2), cards.values(), (1, 2, 3, 16)):
        assert answer.state in STATES
        for reason in answer.reasons:
            if reason.key == "split_refused":
                error = str(reason.values["error"])
                assert set(reason.values) == {"field", "error", *ERRORS[error]}
            else:
                assert set(reason.values) == set(REASONS[reason.key])
        bound = speed(shape(model), answer)
        if bound is not None:
            assert bound.bound is None or bound.bound in BOUNDS
            assert all(set(note.values) == set(NOTES[note.key]) for note in bound.notes)
