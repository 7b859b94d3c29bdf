"""Which models vLLM 0.33.0 runs, and whether with code of its own: the lists of `classes.toml`.

`model_executor/models/registry.py` (0.33.0) looks for the class that a config names; what it lacks it takes from
transformers.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import NamedTuple

from calculator.architecture.shape import Shape
from calculator.memory.workload import WorkloadError

GENERATING = ("ForCausalLM", "ForConditionalGeneration")
"""How classes end that write text; others are converted, or serve something else."""


class Known(NamedTuple):
    """The lists of `classes.toml`, which says what each is."""

    own_classes: frozenset[str]
    transformers_classes: frozenset[str]
    types_by_transformers: frozenset[str]
    files_by_transformers: frozenset[str]
    types_not_known: frozenset[str]


@cache
def known() -> Known:
    lists = tomllib.loads(Path(__file__).with_name("classes.toml").read_text(encoding="utf-8"))
    return Known(**{name: frozenset(names) for name, names in lists.items()})


def by_transformers(shape: Shape) -> bool:
    """By the class that the file names, else by its model types."""
    lists = known()
    if shape.architecture in lists.transformers_classes:
        return True
    return shape.model_type in lists.types_by_transformers or shape.file_type in lists.files_by_transformers


def check_known(shape: Shape) -> None:
    """Raise `WorkloadError` for a model that vLLM does not know, by the class its config names or by its model type."""
    named, lists = shape.architecture, known()
    if named is not None and named.endswith(GENERATING):
        if named not in lists.own_classes and named not in lists.transformers_classes:
            raise WorkloadError("engine", "model_not_known", value=named)
    elif named is None and not lists.types_not_known.isdisjoint((shape.model_type, shape.file_type)):
        raise WorkloadError("engine", "model_not_known", value=shape.file_type)
