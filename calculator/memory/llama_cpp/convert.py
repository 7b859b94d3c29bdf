"""Of which models llama.cpp's converter makes a GGUF file: the lists of `classes.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from calculator.architecture.known import of_shape
from calculator.architecture.shape import Shape
from calculator.memory.named_classes import comes_as_gguf, named_classes, tells_class
from calculator.memory.workload import WorkloadError


class Converted(NamedTuple):
    """The lists of `classes.toml`, which says what each is."""

    text_classes: frozenset[str]
    encoder_classes: frozenset[str]
    whole_classes: frozenset[str]
    documented_classes: frozenset[str]
    published_classes: frozenset[str]
    classes_in_parts: frozenset[str]


@cache
def converted() -> Converted:
    lists = tomllib.loads(Path(__file__).with_name("classes.toml").read_text(encoding="utf-8"))
    return Converted(**{name: frozenset(names) for name, names in lists.items()})


def check_converted(shape: Shape) -> None:
    """Raise `WorkloadError` for a model of which no GGUF file can be made.

    As the converter does, by the class that the file names for its language model, else for the whole
    (`get_model_architecture` in `conversion/base.py`). A file that names neither is taken for one that names what the
    files of its model type do; a shape that is of no file names nothing.
    """
    if (said := _not_converted(shape)) is not None:
        raise WorkloadError("engine", said[0], **said[1])


@of_shape
def _not_converted(shape: Shape) -> tuple[str, Mapping[str, object]] | None:
    """Key and values of the refusal."""
    if comes_as_gguf(shape) or not tells_class(shape):
        return None
    lists, whole, inside = converted(), named_classes(shape), shape.text_architecture
    if not whole.isdisjoint(lists.documented_classes | lists.published_classes):
        return None
    known = lists.text_classes | lists.encoder_classes | lists.classes_in_parts
    runs = not whole.isdisjoint(known)
    if inside is not None and whole.isdisjoint(lists.whole_classes):
        runs = runs and inside in lists.text_classes
    if runs:
        return None
    if shape.architecture is None:
        return "model_not_supported", {"model_type": shape.file_type}
    return "model_not_known", {"value": shape.architecture}
