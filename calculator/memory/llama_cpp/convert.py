"""Of which models llama.cpp's converter makes a GGUF file: the lists of `classes.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from calculator.architecture.known import of_shape
from calculator.architecture.shape import Shape
from calculator.memory.named_classes import class_lists, comes_as_gguf, named_classes, no_class, tells_class
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
    return Converted(**class_lists(__file__))


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
    refusal = no_class(shape)
    return refusal.key, refusal.values
