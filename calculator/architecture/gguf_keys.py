"""The metadata of a GGUF file -> the keys of the config.json that it was converted from.

What each key means: ggml's `docs/gguf.md` and llama.cpp's `gguf-py/gguf/constants.py`; what is written: its
`conversion/*.py`; what is left to the reader: `src/models/*.cpp` (`load_swa_pattern`).
"""

from __future__ import annotations

from calculator.architecture.errors import ConfigError
from calculator.architecture.gguf_architectures import KNOWN
from calculator.architecture.gguf_values import Names, Values, layer_count, number
from calculator.architecture.other_files import other_model
from calculator.architecture.shown import short

_PLAIN = {
    "embedding_length": "hidden_size",
    "context_length": "max_position_embeddings",
    "feed_forward_length": "intermediate_size",
    "attention.head_count": "num_attention_heads",
    "attention.head_count_kv": "num_key_value_heads",
    "attention.key_length": "head_dim",
    "attention.sliding_window": "sliding_window",
}


def alike(key: str, value: object) -> object:
    """One value for all layers. Raises ConfigError where they differ."""
    if not isinstance(value, list):
        return value
    sizes = {size for size in value if type(size) is int}
    if len(sizes) != 1:
        raise ConfigError(key, "differs_between_layers")
    return sizes.pop()


def config_of(architecture: str, values: Values, names: Names, vocabulary: int | None) -> dict[str, object]:
    """Raises ConfigError for an architecture that is not known here, and for values that are none of a model's."""
    known = KNOWN.get(architecture)
    if known is None:
        reason = other_model(architecture) or "unknown_gguf_architecture"
        raise ConfigError("general.architecture", reason, value=architecture[:80])
    layers, predicting = layer_count(values), number(values, "nextn_predict_layers")
    if not 0 <= predicting < layers:
        raise ConfigError("nextn_predict_layers", "out_of_range", value=short(predicting), least=0, most=layers - 1)
    config: dict[str, object] = {"model_type": known.model_type, "num_hidden_layers": layers - predicting}
    plain = {old: new for old, new in _PLAIN.items() if old not in known.own and values.get(old) is not None}
    config |= {new: alike(old, values[old]) for old, new in plain.items()}
    config |= {"vocab_size": vocabulary, "torch_dtype": "bfloat16"}
    if "sliding_window" not in config:
        config["sliding_window"] = None
    elif known.window_every:
        config["layer_types"] = _windows(values, known.window_every)
    config |= known.more(values, names)
    if names:
        config["tie_word_embeddings"] = "output.weight" not in names
    if predicting:
        config["num_nextn_predict_layers"] = predicting
    return {key: value for key, value in config.items() if value is not None or key == "sliding_window"}


def _windows(values: Values, every: int) -> list[str]:
    layers, stated = number(values, "block_count"), values.get("attention.sliding_window_pattern")
    if isinstance(stated, int) and not isinstance(stated, bool) and 0 < stated <= layers:
        every = stated
    windowed = stated if isinstance(stated, list) and len(stated) >= layers else None
    return [
        "sliding_attention" if (windowed[layer] if windowed else (layer + 1) % every) else "full_attention"
        for layer in range(layers)
    ]
