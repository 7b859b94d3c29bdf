"""What a reader is shown first costs one engine's estimate where the first engine runs the model, not five."""

from __future__ import annotations

from unittest.mock import patch

from calculator.architecture import Shape, read_config
from calculator.memory import engines

LLAMA = {
    "model_type": "llama",
    "hidden_size": 64,
    "intermediate_size": 192,  # of no other test: answers are kept by shape
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "vocab_size": 96,
}


def asked(shape: Shape) -> list[str]:
    found: list[str] = []
    with patch.object(engines, "refusal", side_effect=lambda _shape, name: found.append(name)):
        engines.default_workload(shape)
    return found


def test_engines_are_asked_until_one_runs_the_model() -> None:
    assert asked(read_config(LLAMA)) == ["llama.cpp"]
