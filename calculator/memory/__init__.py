"""Shape + workload + engine -> bytes, part by part, each with its reason."""

from calculator.memory.engines import ENGINES, Engine, capacity, default_workload, estimate, kept_bytes
from calculator.memory.workload import (
    DEFAULT_CONTEXT_TOKENS,
    DEFAULT_ENGINE,
    Capacity,
    Estimate,
    Note,
    Part,
    Term,
    Workload,
    WorkloadError,
)

__all__ = [
    "DEFAULT_CONTEXT_TOKENS",
    "DEFAULT_ENGINE",
    "ENGINES",
    "Capacity",
    "Engine",
    "Estimate",
    "Note",
    "Part",
    "Term",
    "Workload",
    "WorkloadError",
    "capacity",
    "default_workload",
    "estimate",
    "kept_bytes",
]
