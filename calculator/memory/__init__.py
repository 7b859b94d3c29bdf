"""Shape + workload + engine -> bytes, part by part, each with its reason."""

from calculator.memory.engines import ENGINES, Engine, estimate
from calculator.memory.workload import DEFAULT_ENGINE, Estimate, Note, Part, Term, Workload, WorkloadError

__all__ = [
    "DEFAULT_ENGINE",
    "ENGINES",
    "Engine",
    "Estimate",
    "Note",
    "Part",
    "Term",
    "Workload",
    "WorkloadError",
    "estimate",
]
