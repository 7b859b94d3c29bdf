"""One prediction beside its truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from calculator.architecture.shape import Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`quantity`: parameters, file_bytes, kv_cache, state, cache_and_state, compute, buffers, host_compute, draft_*,
    weights, rank_weights, request_bytes, kv_tokens, pool_tokens, activation, workspaces, cuda_graphs, overhead,
    prompt_peak, prompt_reserved or total.
    `predicted` and `truth` are bytes, but for parameters and tokens. `resolution` is half of the last digit of the
    truth: a prediction inside it is exact. `naive` maps a formula's key to what it says; `source` is an address to
    cite, `origin` says where the truth is from. `least` and `most` are the ends of our interval, where we state one.
    """

    model: str
    engine: str
    quantity: str
    configuration: Mapping[str, int | str] = field(default_factory=dict)
    predicted: int
    truth: int
    resolution: int = 0
    naive: Mapping[str, int] = field(default_factory=dict)
    origin: str
    source: str | None = None
    quote: str = ""
    remark: str = ""
    family: str = ""  # the model type, or the card
    least: int | None = None
    most: int | None = None

    @property
    def exact(self) -> bool:
        return abs(self.predicted - self.truth) <= self.resolution

    @property
    def error(self) -> float:
        """Relative error; 0 where the prediction is exact."""
        return relative_error(self.predicted, self.truth, self.resolution)

    @property
    def inside(self) -> bool | None:
        """Whether the truth lies in our interval; None where we state none."""
        if self.least is None or self.most is None:
            return None
        return self.least - self.resolution <= self.truth <= self.most + self.resolution

    def naive_error(self, formula: str) -> float | None:
        value = self.naive.get(formula)
        return None if value is None else relative_error(value, self.truth, self.resolution)


def relative_error(predicted: int, truth: int, resolution: int = 0) -> float:
    if abs(predicted - truth) <= resolution:
        return 0.0
    return (predicted - truth) / truth if truth else float("inf")


def about(model: str, shape: Shape, engine: str, origin: str) -> partial[Case]:
    """Makes the cases of one model that have the same origin."""
    return partial(Case, model=model, family=shape.model_type, engine=engine, origin=origin)


SHORT = {"weight_format": "weights", "kv_format": "kv", "context_tokens": "context"}


def settings_of(workload: Mapping[str, Any]) -> dict[str, int | str]:
    """Fields of a workload as they are told beside a case."""
    return {SHORT.get(key, key): value for key, value in workload.items() if key != "capability"}
