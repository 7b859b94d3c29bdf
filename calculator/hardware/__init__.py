"""Bytes + cards -> fit, recommendation, limits, bounds on speed, memory of fine-tuning, commands to start."""

from calculator.hardware.cards import Card, Cards, from_specification, usable_bytes
from calculator.hardware.command import HUBS, Command, WeightSource
from calculator.hardware.engines import engine_named
from calculator.hardware.errors import HardwareError
from calculator.hardware.fit import Fit, Sized
from calculator.hardware.fixes import Fix, fixes, unsought
from calculator.hardware.formats import best_format, best_held, format_fits
from calculator.hardware.launch import launch_commands
from calculator.hardware.limits import DEEPEST_SOUGHT, Rule, largest_context, least_offload, most_sequences
from calculator.hardware.machine import Numbers, fit, numbers, totals
from calculator.hardware.prefix import Saving, prefix_saving
from calculator.hardware.reason import Reason
from calculator.hardware.recommend import Recommendation, recommend
from calculator.hardware.speed import Speed, decoding, speed
from calculator.hardware.training import PROGRAMS, Training, TrainingEstimate, questions, training_memory
from calculator.hardware.usual import card_remarks, usual_engine
from calculator.hardware.verdict import COUNTS, fit_all, training_state

__all__ = [
    "COUNTS",
    "DEEPEST_SOUGHT",
    "HUBS",
    "PROGRAMS",
    "Card",
    "Cards",
    "Command",
    "Fit",
    "Fix",
    "HardwareError",
    "Numbers",
    "Reason",
    "Recommendation",
    "Rule",
    "Saving",
    "Sized",
    "Speed",
    "Training",
    "TrainingEstimate",
    "WeightSource",
    "best_format",
    "best_held",
    "card_remarks",
    "decoding",
    "engine_named",
    "fit",
    "fit_all",
    "fixes",
    "format_fits",
    "from_specification",
    "largest_context",
    "launch_commands",
    "least_offload",
    "most_sequences",
    "numbers",
    "prefix_saving",
    "questions",
    "recommend",
    "speed",
    "totals",
    "training_memory",
    "training_state",
    "unsought",
    "usable_bytes",
    "usual_engine",
]
