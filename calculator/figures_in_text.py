"""Figures in prose that nobody types: `{cache@128K}` stands for what the calculator says of the model, in GiB.

So a sentence cannot contradict the page that it stands on, and it changes with the rules of the engines.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from calculator.architecture import Shape
from calculator.figures import gib
from calculator.memory import Estimate, WorkloadError, default_workload, estimate
from calculator.memory.remembered import remembered

FIGURE = re.compile(r"\{([^{}]*)\}")
ASKED = re.compile(r"(\w+)(?:@(\d+)([KM]?))?")
UNITS = {"": 1, "K": 2**10, "M": 2**20}


def _cache(answer: Estimate) -> int:
    return sum(held.bytes for held in remembered(answer).values())


def _plain_cache(answer: Estimate) -> int:
    return sum(held.in_full_bytes for held in remembered(answer).values())


FIGURES: Mapping[str, Callable[[Estimate], int]] = {
    "memory": lambda answer: answer.total_bytes,
    "weights": lambda answer: answer.part("weights").bytes,
    "cache": _cache,
    "plain_cache": _plain_cache,
}
"""What can be asked for: all memory, the weights, KV cache and state of one request, and these with all tokens in full.

Each as the model's page shows it first: in the engine and formats that a reader sees who has chosen none.
"""


class FigureError(ValueError):
    """A figure that there is none of; the text of it is the placeholder."""


def with_figures(text: str, shape: Shape | None, longest: int | None = None) -> str:
    """`text` with its figures in GiB. `longest` is the most tokens that the model is made for.

    FigureError for a name that is none of `FIGURES`, a context that the model does not have, and for any figure where
    the shape is not known or no engine runs it.
    """
    return FIGURE.sub(lambda found: _figure(found, shape, longest), text)


def _figure(found: re.Match[str], shape: Shape | None, longest: int | None) -> str:
    asked = ASKED.fullmatch(found[1])
    if asked is None or asked[1] not in FIGURES or shape is None:
        raise FigureError(found[0])
    workload = default_workload(shape, longest)
    if asked[2]:
        tokens = int(asked[2]) * UNITS[asked[3]]
        if not 0 < tokens <= (longest or shape.context_tokens or tokens):
            raise FigureError(found[0])
        workload = replace(workload, context_tokens=tokens)
    try:
        return gib(FIGURES[asked[1]](estimate(shape, workload)))
    except WorkloadError as error:
        raise FigureError(found[0]) from error
