"""What a file asks for is bounded before anything of that length is made, and what lies outside a model is a fault."""

from __future__ import annotations

from typing import Any

import pytest

from calculator.architecture import ConfigError, read_config
from calculator.architecture.families import qwen4
from tests.calculator.memory.shapes import catalogued_config


def header(architecture: str, **values: object) -> dict[str, Any]:
    metadata = {"general.architecture": architecture} | {f"{architecture}.{key}": each for key, each in values.items()}
    tensor = {"blk.0.attn_q.weight": {"shape": [64, 64], "type": "F16"}}
    return {"metadata": {key: {"value": value} for key, value in metadata.items()}, "tensors": tensor}


@pytest.mark.parametrize("architecture", ["glm-dsa", "mimo2", "llama"])
@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"block_count": 2**40}, "block_count"),
        ({"block_count": 10**40}, "block_count"),
        ({"block_count": 4, "nextn_predict_layers": -(2**40)}, "nextn_predict_layers"),
        ({"block_count": 4, "nextn_predict_layers": 4}, "nextn_predict_layers"),
        (
            {
                "block_count": 4,
                "nextn_predict_layers": -5,
                "attention.head_count_kv": 8,
                "attention.sliding_window_pattern": [True] * 9,
            },
            "nextn_predict_layers",
        ),
    ],
)
def test_layers_of_a_gguf_file(architecture: str, values: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read_config(header(architecture, **values))
    assert (raised.value.key, raised.value.reason) == (key, "out_of_range")


def test_prime_numbers_are_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 256 tables with one head each, far from 0, where one number of nineteen is prime."""
    looked: list[int] = []
    plain = qwen4._is_prime

    def counted(value: int) -> bool:
        looked.append(value)
        return plain(value)

    monkeypatch.setattr(qwen4, "_is_prime", counted)
    config = catalogued_config("qwen/qwen3-8-flash-next")
    text = config.get("text_config", config)
    text |= {"heads_per_ngram": 1, "ngram_size": 2, "ngram_vocab_size_base": 1_000_000}
    text["ple_layer_ids"] = list(range(1, text["num_hidden_layers"] + 1))
    assert read_config(config).total_parameters
    assert len(looked) == len(set(looked)) < 40 * text["num_hidden_layers"]


@pytest.mark.parametrize("layer", [-1, 66])
def test_a_layer_that_the_model_has_not(layer: int) -> None:
    config = catalogued_config("thinkingmachines/inkling") | {"local_layer_ids": [0, layer]}
    with pytest.raises(ConfigError, match="local_layer_ids"):
        read_config(config)
