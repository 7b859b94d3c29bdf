"""Small shapes and published ones for the tests of the engines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from calculator.accuracy.references import reference_config, reference_shape
from calculator.architecture import Shape, read_config
from calculator.architecture.shape import Dense, Layer, Mixer, Tensor
from calculator.memory import Capacity, Workload, capacity

MODELS = Path(__file__).resolve().parents[3] / "catalog" / "data" / "models"

REFERENCE = Path(__file__).resolve().parents[2] / "reference"

__all__ = [
    "catalogued",
    "catalogued_config",
    "made_of",
    "published",
    "quantised",
    "reference",
    "server_prints",
    "tiny_llama",
]


def published(name: str) -> Shape:
    """The shape of a reference config."""
    return reference_shape(name)


def catalogued(path: str) -> Shape:
    """A model of the catalogue, by organisation and slug: configs there say how their weights are stored."""
    return read_config(catalogued_config(path))


def catalogued_config(path: str) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((MODELS / path / "config.json").read_text(encoding="utf-8"))
    return config


def reference(name: str) -> list[dict[str, Any]]:
    """The lines of a file of engines' own answers."""
    return [json.loads(line) for line in (REFERENCE / name).read_text(encoding="utf-8").splitlines()]


def quantised(name: str, **quantization: object) -> Shape:
    """A published model as its checkpoint stores it."""
    return read_config(reference_config(name) | {"quantization_config": quantization})


def made_of(*mixers: Mixer, **changes: Any) -> Shape:
    """A layer for each mixer, with a feed-forward that is all it has of weights."""
    feed_forward = Dense(intermediate_size=256)
    up = (Tensor(role="ffn_up", shape=(256, 128), layer=index) for index in range(len(mixers)))
    down = (Tensor(role="ffn_down", shape=(128, 256), layer=index) for index in range(len(mixers)))
    outside = (Tensor(role=role, shape=(256, 128)) for role in ("token_embd", "output"))
    made: dict[str, Any] = {
        "model_type": "llama",
        "hidden_size": 128,
        "vocab_size": 256,
        "context_tokens": 4_096,
        "tied_embeddings": False,
        "layers": tuple(
            Layer(index=index, mixers=(mixer,), feed_forward=feed_forward) for index, mixer in enumerate(mixers)
        ),
        "tensors": (*outside, *up, *down),
        "native_format": "BF16",
    }
    return Shape(**made | changes)


def tiny_llama(**changes: object) -> Shape:
    """Two layers that one can add up by hand."""
    config: dict[str, object] = {
        "model_type": "llama",
        "hidden_size": 256,
        "intermediate_size": 512,
        "num_hidden_layers": 2,
        "num_attention_heads": 8,
        "num_key_value_heads": 2,
        "head_dim": 32,
        "vocab_size": 1000,
        "max_position_embeddings": 4096,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
    }
    return read_config({**config, **changes})


def server_prints(shape: Shape, workload: Workload, pool_bytes: int) -> Capacity:
    """What a server with such a pool says it holds."""
    found = capacity(shape, workload, pool_bytes)
    assert found is not None
    return found
