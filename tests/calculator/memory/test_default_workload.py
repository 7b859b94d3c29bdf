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


def test_a_checkpoint_that_mlx_packed_is_shown_in_mlx_first() -> None:
    """No other engine here loads its packed weights; of a model that mlx-lm has no file for, the others are asked."""
    packed = LLAMA | {"num_key_value_heads": 4, "quantization": {"group_size": 64, "bits": 4}}
    assert engines.default_workload(read_config(packed)).engine == "mlx"
    assert engines.default_workload(read_config(packed | {"model_type": "aquila"})).engine == "transformers"
