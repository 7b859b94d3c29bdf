"""The class by whose name an engine looks for a model's code.

`classes.json` holds those that the files of a model type name: transformers' automatic classes (5.24.0) for what writes
text, and those of code that lies beside the weights.
"""

from __future__ import annotations

import json
import tomllib
from functools import cache
from pathlib import Path

from calculator.architecture.shape import Shape
from calculator.memory.workload import WorkloadError

GENERATING = ("ForCausalLM", "ForConditionalGeneration", "ForVisionText2Text", "LMHeadModel")
"""How classes end that write text. Others do where files of the model type name them; the rest is converted, or serves
something else."""


def class_lists(beside: str) -> dict[str, frozenset[str]]:
    """The lists of the `classes.toml` that lies beside a module, which says what each is."""
    lists = tomllib.loads(Path(beside).with_name("classes.toml").read_text(encoding="utf-8"))
    return {name: frozenset(names) for name, names in lists.items()}


@cache
def _by_type() -> dict[str, frozenset[str]]:
    kept = json.loads(Path(__file__).with_name("classes.json").read_text(encoding="utf-8"))
    return {model_type: frozenset(names) for model_type, names in kept.items()}


def named_classes(shape: Shape) -> frozenset[str]:
    """The class that the file names, or those that files of its model type do where it names none."""
    if shape.architecture is not None:
        return frozenset({shape.architecture})
    return _by_type().get(shape.file_type, frozenset())


def tells_class(shape: Shape) -> bool:
    """Not where a reader had an unknown type read as a decoder like Llama: whose code runs it they know, we do not."""
    return bool(shape.file_type) and "standard_decoder" not in shape.assumptions


def check_class(shape: Shape, run: frozenset[str]) -> None:
    """Raise `WorkloadError` where a config.json was read for whose model an engine that runs these classes has no code.

    A class that writes no text is converted or serves something else, and a shape that is of no file names nothing.
    """
    if not tells_class(shape) or not _writes_text(shape):
        return
    if named_classes(shape).isdisjoint(run):
        raise no_class(shape)


def _writes_text(shape: Shape) -> bool:
    named = shape.architecture
    return named is None or named.endswith(GENERATING) or named in _by_type().get(shape.file_type, ())


def no_class(shape: Shape) -> WorkloadError:
    """That an engine has no code for the class of a model, or that nothing tells which class that is."""
    if shape.architecture is None and not named_classes(shape):
        return WorkloadError("engine", "class_not_named", model_type=shape.file_type)
    if shape.architecture is None:
        return WorkloadError("engine", "model_not_supported", model_type=shape.file_type)
    return WorkloadError("engine", "model_not_known", value=shape.architecture)


def comes_as_gguf(shape: Shape) -> bool:
    """Whether it was read from the header of a GGUF file, which names no class and is converted already."""
    return not {"gguf_file", "gguf_metadata"}.isdisjoint(shape.assumptions)
