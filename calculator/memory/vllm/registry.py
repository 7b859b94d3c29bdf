"""Which models vLLM 0.33.0 runs, and whether with code of its own: the lists of `classes.toml`.

`model_executor/models/registry.py` (0.33.0) looks for the class that a config names; what it lacks it takes from
transformers.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from calculator.architecture.shape import Shape
from calculator.memory.named_classes import check_class, class_lists


class Known(NamedTuple):
    """The lists of `classes.toml`, which says what each is."""

    own_classes: frozenset[str]
    transformers_classes: frozenset[str]
    types_by_transformers: frozenset[str]
    files_by_transformers: frozenset[str]


@cache
def known() -> Known:
    return Known(**class_lists(__file__))


def by_transformers(shape: Shape) -> bool:
    """By the class that the file names, else by its model types."""
    lists = known()
    if shape.architecture in lists.transformers_classes:
        return True
    return shape.model_type in lists.types_by_transformers or shape.file_type in lists.files_by_transformers


def check_known(shape: Shape) -> None:
    """Raise `WorkloadError` for a model that vLLM does not know, by the class its config names or those that configs of
    its model type do."""
    check_class(shape, known().own_classes | known().transformers_classes)
