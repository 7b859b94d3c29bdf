"""What the metadata of a GGUF file say, architecture aside: numbers, and numbers for each layer."""

from __future__ import annotations

from collections.abc import Mapping

from calculator.architecture.errors import ConfigError
from calculator.architecture.fields import MOST_LAYERS
from calculator.architecture.shown import short

Values = Mapping[str, object]
"""Metadata by key, without the architecture in front."""
Names = Mapping[str, int]
"""The tensors that the file lists, by name, each with its number of elements."""


def number(values: Values, key: str) -> int:
    """0 where the file does not say it. Raises ConfigError for what is no whole number."""
    value = values.get(key, 0)
    if type(value) is not int:
        raise ConfigError(key, "not_an_integer", value=short(value))
    return value


def layer_count(values: Values) -> int:
    """Raises ConfigError for more than an engine reads."""
    layers = number(values, "block_count")
    if not 0 < layers <= MOST_LAYERS:
        raise ConfigError("block_count", "out_of_range", value=short(layers), least=1, most=MOST_LAYERS)
    return layers


def by_layer(values: Values, key: str) -> list[int]:
    """A number for each layer; one alone is that of all."""
    value, layers = values.get(key), layer_count(values)
    if not isinstance(value, list):
        return [number(values, key)] * layers
    if len(value) != layers or not all(type(size) is int for size in value):
        raise ConfigError(key, "differs_between_layers")
    return value


def renamed(values: Values, names: Mapping[str, str]) -> dict[str, object]:
    """What the file says under each key on the right, under the name of a config.json on the left; None where it does
    not."""
    return {name: values.get(key) for name, key in names.items()}
