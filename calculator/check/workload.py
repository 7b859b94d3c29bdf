"""From what a log says to a question for the memory model, and to what could not be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from calculator.architecture import Shape
from calculator.hardware import Card, engine_named
from calculator.logs import Reading, Setting
from calculator.memory import ENGINES, Estimate, Workload, WorkloadError, estimate
from calculator.memory.engines import resolve
from calculator.memory.workload import COMMON

FIELDS = frozenset(each.name for each in fields(Workload))
NO_CONTEXT_SAID = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The workload that was asked, defaults resolved, and its answer.

    `said` are the settings that went into it; `only_read` those for which the memory model has no question; `refused`
    those that it does not take for this model, so that its own default stands there.
    """

    workload: Workload
    estimate: Estimate
    said: Mapping[str, Setting]
    only_read: Mapping[str, Setting]
    refused: Mapping[str, WorkloadError]


def settle(reading: Reading, shape: Shape, stated: Mapping[str, Setting], card: Card | None) -> Settled:
    """Ask the memory model about the run. `stated` is what the reader says besides, and goes before the log.

    Raises `WorkloadError` where the engine does not run the model at all.
    """
    engine = ENGINES.get(reading.engine)
    if engine is None:
        raise WorkloadError("engine", "unknown", value=reading.engine, offered=tuple(ENGINES))
    known = FIELDS & (COMMON | engine.KNOBS)
    settings = {**reading.settings, **stated}
    asked = {name: value for name, value in settings.items() if name in known}
    refused: dict[str, WorkloadError] = {}
    for name, value in list(asked.items()):
        try:
            resolve(engine, shape, Workload(engine=reading.engine, **{name: value}))  # type: ignore[arg-type]
        except WorkloadError as error:
            refused[name] = error
            del asked[name]
    context = {"context_tokens": min(shape.context_tokens or NO_CONTEXT_SAID, NO_CONTEXT_SAID)}
    while True:
        workload = Workload(**{"engine": reading.engine, **context, **asked})  # type: ignore[arg-type]
        if card is not None:
            alike = engine_named(reading.engine).alike(card)
            if "back_end" in asked:  # a card may be run by more than one
                alike = alike._replace(back_end=workload.back_end)
            workload = alike._replace(card_bytes=card.device_bytes).on(workload)
        try:
            answer = estimate(shape, workload)
        except WorkloadError as error:
            if error.field not in asked:
                raise
            refused[error.field] = error
            del asked[error.field]
            continue
        return Settled(
            workload=answer.workload,
            estimate=answer,
            said=asked,
            only_read={name: value for name, value in settings.items() if name not in known},
            refused=refused,
        )
