"""The memory of fine-tuning, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from calculator import labels
from calculator.architecture import Shape
from calculator.figures import gib
from calculator.fit_words import card_label
from calculator.hardware import Card, HardwareError, TrainingEstimate, training_memory, training_state
from calculator.labels.names import PROGRAMS
from calculator.training_form import METHODS, QUESTIONS, TrainingForm

# Where each formula comes from, shown beside the figures: what is general, and each program's own code.
GENERAL: tuple[tuple[str, str], ...] = (
    ("LoRA, arXiv:2106.09685", "https://arxiv.org/abs/2106.09685"),
    ("QLoRA, arXiv:2305.14314, 3", "https://arxiv.org/abs/2305.14314"),
    ("8-bit Optimizers, arXiv:2110.02861", "https://arxiv.org/abs/2110.02861"),
    ("Reducing Activation Recomputation, arXiv:2205.05198, 4.1", "https://arxiv.org/abs/2205.05198"),
)
ZERO = ("ZeRO, arXiv:1910.02054, 3.1", "https://arxiv.org/abs/1910.02054")
TRL = (
    ("transformers 5.24", "https://github.com/huggingface/transformers"),
    ("PEFT 0.21.2", "https://github.com/huggingface/peft"),
    ("TRL 1.16.0", "https://github.com/huggingface/trl"),
    ("bitsandbytes 0.50.2", "https://github.com/bitsandbytes-foundation/bitsandbytes"),
)
SOURCES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "trl": (*TRL, *GENERAL),
    "unsloth": (
        ("Unsloth 2026.10.9", "https://github.com/unslothai/unsloth"),
        ("unsloth_zoo 2026.10.9", "https://github.com/unslothai/unsloth-zoo"),
        *GENERAL,
    ),
    "fsdp": (("accelerate 1.15.0", "https://github.com/huggingface/accelerate"), *TRL, ZERO, *GENERAL),
    "deepspeed": (("DeepSpeed 0.19.8", "https://github.com/deepspeedai/DeepSpeed"), *TRL, ZERO, *GENERAL),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPart:
    label: str
    bytes: int
    formulas: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingView:
    """`estimate` is absent while the form has errors, and where nobody asks.

    `badge`, `state`, `card` and `usable` are absent where no card is chosen.
    """

    form: TrainingForm
    estimate: TrainingEstimate | None = None
    parts: tuple[TrainingPart, ...] = ()
    notes: tuple[str, ...] = ()
    badge: str = ""
    state: str = ""
    card: str = ""
    usable: str = ""
    sources: tuple[tuple[str, str], ...] = ()
    program: str = ""
    method: str = ""
    host: str = ""


def train(shape: Shape, form: TrainingForm, card: Card | None = None) -> TrainingView:
    """Memory of fine-tuning on one device, and whether one of the reader's devices has it; nothing unasked."""
    if not form.is_valid() or not form.asked:
        return TrainingView(form=form)
    try:
        found = training_memory(shape, form.training())
    except HardwareError as error:
        names = {attribute: name for name, attribute in QUESTIONS.items()}
        field = names.get(error.field, "ft")
        form.add_error(field if field in form.fields else "ft", labels.hardware_error_text(error))
        return TrainingView(form=form)
    if card:  # on one device, and of several kinds each has to hold it
        card = min((kind for kind, _number in card.kinds(1)), key=lambda kind: kind.device_bytes)
    badge, state = labels.STATES[training_state(found.per_device_bytes, card.device_bytes)] if card else ("", "")
    return TrainingView(
        form=form,
        estimate=found,
        parts=tuple(
            TrainingPart(
                label=str(labels.TRAINING_PARTS[part.key]),
                bytes=part.bytes,
                formulas=tuple(labels.training_term_text(term) for term in part.terms),
            )
            for part in found.parts
            if part.bytes
        ),
        notes=tuple(labels.hardware_note_text(note) for note in found.notes),
        badge=badge,
        state=str(state),
        card=card_label(card, 1) if card else "",
        usable=gib(card.device_bytes) if card else "",
        sources=SOURCES[found.training.program],
        program=PROGRAMS[found.training.program],
        method=str(METHODS[found.training.method]),
        host=gib(found.host_bytes) if found.host_bytes else "",
    )
