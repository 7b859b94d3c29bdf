"""What each engine does with cards.

A package here has the name of the engine's package in `calculator.memory`, so that an engine is entered in one place
alone: `calculator.memory.ENGINES`.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

from calculator.hardware.engines.base import HardwareEngine
from calculator.memory import ENGINES, WorkloadError

__all__ = ["HardwareEngine", "engine_named"]


@cache
def engine_named(name: str) -> HardwareEngine:
    """What the engine of this name does with cards. Raises `WorkloadError` where there is none."""
    if name not in ENGINES:
        raise WorkloadError("engine", "unknown", value=name, offered=tuple(ENGINES))
    package = ENGINES[name].__name__.rpartition(".")[2]
    engine: HardwareEngine = import_module(f"{__name__}.{package}").ENGINE
    return engine
