"""Words for the keys that the pure packages return, in the reader's language.

Every key of `calculator.memory.terms` and `calculator.hardware.terms` has its sentence here; a test compares.
"""

from calculator.labels.draft_heads import HEAD_KINDS, NEXT, draft_head_rows, draft_head_text
from calculator.labels.errors import config_error_texts, error_text
from calculator.labels.hardware import (
    BOUNDS,
    CLASSES,
    STATES,
    VENDORS,
    command_name,
    hardware_error_text,
    hardware_note_text,
    reason_text,
)
from calculator.labels.names import PARTS, TENSORS, engine_list, engine_name, mixer_text
from calculator.labels.notes import assumption_text, note_text
from calculator.labels.terms import term_text
from calculator.labels.training import TRAINING_PARTS, training_term_text

__all__ = [
    "BOUNDS",
    "CLASSES",
    "HEAD_KINDS",
    "NEXT",
    "PARTS",
    "STATES",
    "TENSORS",
    "TRAINING_PARTS",
    "VENDORS",
    "assumption_text",
    "command_name",
    "config_error_texts",
    "draft_head_rows",
    "draft_head_text",
    "engine_list",
    "engine_name",
    "error_text",
    "hardware_error_text",
    "hardware_note_text",
    "mixer_text",
    "note_text",
    "reason_text",
    "term_text",
    "training_term_text",
]
