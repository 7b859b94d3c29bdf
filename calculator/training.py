"""Fine-tuning: what a reader may ask, and the answer in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from django import forms
from django.utils.translation import gettext_lazy

from calculator import labels
from calculator.architecture import Shape
from calculator.fields import FlagField
from calculator.figures import gib
from calculator.fits import card_label
from calculator.hardware import Card, HardwareError, Training, TrainingEstimate, headroom, training_memory

METHODS = {
    "full": gettext_lazy("full fine-tuning"),
    "lora": gettext_lazy("LoRA"),
    "qlora": gettext_lazy("QLoRA (NF4)"),
}
OPTIMIZERS = {
    "adamw": gettext_lazy("AdamW"),
    "adamw_8bit": gettext_lazy("AdamW, 8 bits"),
    "sgd": gettext_lazy("SGD without momentum"),
}
TARGETS = {
    "attention": gettext_lazy("attention only"),
    "all_linear": gettext_lazy("all linear layers"),
    "all_linear_and_experts": gettext_lazy("all linear layers and experts"),
}
ZERO = {
    "0": gettext_lazy("none"),
    "1": gettext_lazy("optimizer (ZeRO 1)"),
    "2": gettext_lazy("optimizer and gradients (ZeRO 2)"),
    "3": gettext_lazy("weights too (ZeRO 3, FSDP)"),
}

# Name in the URL -> attribute of `Training`. All start with "ft", so that they stand beside the workload's.
QUESTIONS: Mapping[str, str] = {
    "ft": "method",
    "ft_optimizer": "optimizer",
    "ft_tokens": "sequence_tokens",
    "ft_batch": "sequences",
    "ft_checkpointing": "gradient_checkpointing",
    "ft_rank": "rank",
    "ft_targets": "targets",
    "ft_zero": "zero_stage",
    "ft_devices": "devices",
    "ft_fp32": "fp32_gradients",
}

# Where each formula comes from, shown beside the figures.
SOURCES: tuple[tuple[str, str], ...] = (
    ("ZeRO, arXiv:1910.02054, 3.1", "https://arxiv.org/abs/1910.02054"),
    ("LoRA, arXiv:2106.09685", "https://arxiv.org/abs/2106.09685"),
    ("QLoRA, arXiv:2305.14314, 3", "https://arxiv.org/abs/2305.14314"),
    ("8-bit Optimizers, arXiv:2110.02861", "https://arxiv.org/abs/2110.02861"),
    ("Reducing Activation Recomputation, arXiv:2205.05198, 4.1", "https://arxiv.org/abs/2205.05198"),
    ("Cut Your Losses, arXiv:2411.09009, table 1", "https://arxiv.org/abs/2411.09009"),
)


class TrainingForm(forms.Form):
    """Left out, a question takes the default of `Training`. `asked` is what the reader answered, for a link."""

    ft = forms.ChoiceField(label=gettext_lazy("Method"), required=False, choices=list(METHODS.items()))
    ft_optimizer = forms.ChoiceField(label=gettext_lazy("Optimizer"), required=False, choices=list(OPTIMIZERS.items()))
    ft_tokens = forms.IntegerField(label=gettext_lazy("Sequence length"), required=False, min_value=1)
    ft_batch = forms.IntegerField(label=gettext_lazy("Batch per device"), required=False, min_value=1)
    ft_checkpointing = forms.ChoiceField(
        label=gettext_lazy("Gradient checkpointing"),
        required=False,
        choices=[("1", gettext_lazy("on")), ("0", gettext_lazy("off"))],
    )
    ft_rank = forms.IntegerField(label=gettext_lazy("Rank of the adapters"), required=False, min_value=1)
    ft_targets = forms.ChoiceField(label=gettext_lazy("Adapters on"), required=False, choices=list(TARGETS.items()))
    ft_zero = forms.ChoiceField(label=gettext_lazy("Sharded over devices"), required=False, choices=list(ZERO.items()))
    ft_devices = forms.IntegerField(label=gettext_lazy("Devices"), required=False, min_value=1)
    ft_fp32 = FlagField(label=gettext_lazy("Gradients in 32 bits"), required=False)

    def __init__(self, query: Mapping[str, str]) -> None:
        self.asked = {name: query[name] for name in QUESTIONS if query.get(name)}
        defaults = {
            name: str(int(value)) if isinstance(value := getattr(Training(), attribute), bool) else str(value)
            for name, attribute in QUESTIONS.items()
        }
        super().__init__(data={**defaults, "ft_fp32": "", **self.asked}, auto_id="%s")

    def training(self) -> Training:
        values = {QUESTIONS[name]: value for name, value in self.cleaned_data.items() if value not in (None, "")}
        values["gradient_checkpointing"] = self.cleaned_data["ft_checkpointing"] != "0"
        values["zero_stage"] = int(self.cleaned_data["ft_zero"] or 0)
        return replace(Training(), **values)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPart:
    label: str
    bytes: int
    formulas: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingView:
    """`estimate` is absent while the form has errors; `badge`, `state`, `card` and `usable` where no card is chosen."""

    form: TrainingForm
    estimate: TrainingEstimate | None = None
    parts: tuple[TrainingPart, ...] = ()
    notes: tuple[str, ...] = ()
    badge: str = ""
    state: str = ""
    card: str = ""
    usable: str = ""
    sources: tuple[tuple[str, str], ...] = SOURCES


def train(shape: Shape, form: TrainingForm, card: Card | None = None) -> TrainingView:
    """Memory of fine-tuning on one device, and whether one of the reader's devices has it."""
    if not form.is_valid():
        return TrainingView(form=form)
    try:
        found = training_memory(shape, form.training())
    except HardwareError as error:
        names = {attribute: name for name, attribute in QUESTIONS.items()}
        form.add_error(names.get(error.field, "ft"), labels.hardware_error_text(error))
        return TrainingView(form=form)
    badge, state = labels.STATES[_state(found.per_device_bytes, card.device_bytes)] if card else ("", "")
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
    )


def _state(needed_bytes: int, device_bytes: int) -> str:
    """Training runs in PyTorch, so what must stay free is what inference in transformers leaves."""
    if needed_bytes > device_bytes:
        return "does_not_fit"
    return "tight" if device_bytes - needed_bytes < headroom.PYTORCH.of(device_bytes) else "fits"
