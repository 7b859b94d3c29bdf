"""The command that starts exactly the configuration a reader looks at."""

from __future__ import annotations

from calculator.hardware.command import HUBS, Command, WeightSource
from calculator.hardware.engines import engine_named
from calculator.hardware.errors import HardwareError
from calculator.hardware.fit import Fit
from calculator.memory import Workload


def launch_commands(
    workload: Workload,
    source: WeightSource,
    *,
    hub: str = "huggingface",
    fit: Fit | None = None,
    draft: WeightSource | None = None,
    draft_format: str = "",
) -> tuple[Command, ...]:
    """Commands for `workload`, whose defaults are resolved (`Estimate.workload`).

    With `fit` the commands split the model as it was placed and ask for as much memory as it takes. `draft` is a model
    that guesses ahead, with weights stored in `draft_format`; a program that takes none gets a note that says so.
    """
    if hub not in HUBS:
        raise HardwareError("hub", "unknown", value=hub, offered=HUBS)
    if fit is not None:
        workload = fit.workload
    engine = engine_named(workload.engine)
    commands = engine.commands(workload, source, hub, fit)
    if draft is None:
        return commands
    return tuple(engine.with_draft(command, draft, draft_format) for command in commands)
