"""What a reader may ask of fine-tuning: the program, the method, and what that program lets one choose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calculator.figures import grouped
from calculator.hardware import PROGRAMS, Training, questions
from calculator.labels.names import PROGRAMS as PROGRAM_NAMES
from calculator.public_form import PublicForm

METHODS: Mapping[str, Promise | str] = {
    "full": gettext_lazy("full fine-tuning"),
    "lora": "LoRA",
    "qlora": "QLoRA (NF4)",
}
CHOICES: Mapping[str, Mapping[str, Promise | str]] = {
    "precision": {"16bit": gettext_lazy("16 bits"), "32bit": gettext_lazy("32 bits")},
    "double_quantisation": {"1": gettext_lazy("on"), "0": gettext_lazy("off")},
    "optimizer": {
        "adamw": "AdamW",
        "adamw_8bit": gettext_lazy("AdamW, 8 bits"),
        "paged_adamw": gettext_lazy("AdamW, paged"),
        "paged_adamw_8bit": gettext_lazy("AdamW, 8 bits, paged"),
        "sgd": gettext_lazy("SGD without momentum"),
    },
    "loss": {
        "full": gettext_lazy("all logits at once"),
        "tiles": gettext_lazy("in tiles (TRL)"),
        "chunks": gettext_lazy("in chunks (Unsloth)"),
    },
    "checkpointing": {
        "layers": gettext_lazy("on"),
        "offloaded": gettext_lazy("on, kept in RAM"),
        "none": gettext_lazy("off"),
    },
    "targets": {
        "query_value": gettext_lazy("queries and values"),
        "attention": gettext_lazy("attention only"),
        "feed_forward": gettext_lazy("feed-forward only"),
        "all_linear": gettext_lazy("all linear layers"),
        "all_linear_and_experts": gettext_lazy("all linear layers and experts"),
    },
    "zero_stage": {
        "1": gettext_lazy("optimiser (ZeRO 1)"),
        "2": gettext_lazy("optimiser and gradients (ZeRO 2)"),
        "3": gettext_lazy("weights too (ZeRO 3)"),
    },
}

# Name in the URL -> attribute of `Training`. All start with "ft", so that they stand beside the workload's.
QUESTIONS: Mapping[str, str] = {
    "ft_program": "program",
    "ft": "method",
    "ft_precision": "precision",
    "ft_double": "double_quantisation",
    "ft_optimizer": "optimizer",
    "ft_loss": "loss",
    "ft_checkpointing": "checkpointing",
    "ft_tokens": "sequence_tokens",
    "ft_batch": "sequences",
    "ft_accumulation": "accumulation",
    "ft_rank": "rank",
    "ft_targets": "targets",
    "ft_zero": "zero_stage",
    "ft_devices": "devices",
}
NUMBERS = ("sequence_tokens", "sequences", "accumulation", "rank", "devices")
LABELS: Mapping[str, Any] = {
    "precision": gettext_lazy("Weights that are not quantised"),
    "double_quantisation": gettext_lazy("Double quantisation"),
    "optimizer": gettext_lazy("Optimiser"),
    "loss": gettext_lazy("Loss"),
    "checkpointing": gettext_lazy("Gradient checkpointing"),
    "sequence_tokens": gettext_lazy("Sequence length"),
    "sequences": gettext_lazy("Batch per device"),
    "accumulation": gettext_lazy("Batches per step"),
    "rank": gettext_lazy("Rank of the adapters"),
    "targets": gettext_lazy("Adapters on"),
    "zero_stage": gettext_lazy("Sharded over devices"),
    "devices": gettext_lazy("Devices"),
}


class TrainingForm(PublicForm):
    """Left out, a question takes the program's own default, which its field shows. `asked` is what the reader answered.

    As long as no method is chosen, it is the only question. Only the chosen program's questions have a field, and those
    that were asked in vain, to say so; with `changed`, the program or method was just chosen anew, and what it does not
    ask is dropped.
    """

    ft_program = forms.ChoiceField(label=gettext_lazy("Program"), required=False, choices=list(PROGRAM_NAMES.items()))
    ft = forms.ChoiceField(label=gettext_lazy("Method"), required=False)

    def __init__(self, query: Mapping[str, str], *, changed: bool = False) -> None:
        unasked = query.get("ft") == ""
        asked = {} if unasked else {name: query[name] for name in QUESTIONS if query.get(name)}
        program = _known(asked.get("ft_program"), PROGRAMS, Training().program)
        method = _known(asked.get("ft"), METHODS, Training().method)
        offered = questions(program, method) | {"program", "method"}
        if changed:
            asked = {name: value for name, value in asked.items() if QUESTIONS[name] in offered}
        self.asked = asked
        super().__init__(data={"ft_program": program, "ft": method, **asked} if asked else {}, auto_id="%s")
        self.choose("ft", [("", _("none")), *METHODS.items()])
        if not asked:
            del self.fields["ft_program"]
            return
        for name, attribute in QUESTIONS.items():
            if name not in self.fields and (attribute in offered or name in asked):
                self.fields[name] = _field(program, attribute)

    def training(self) -> Training:
        values = {QUESTIONS[name]: value for name, value in self.cleaned_data.items() if value not in (None, "")}
        if "double_quantisation" in values:
            values["double_quantisation"] = values["double_quantisation"] == "1"
        if "zero_stage" in values:
            values["zero_stage"] = int(values["zero_stage"])
        return Training(**values)


def _known(value: str | None, names: Mapping[str, Any], default: str) -> str:
    return value if value is not None and value in names else default


def _field(program: str, attribute: str) -> forms.Field:
    default = PROGRAMS[program].defaults[attribute]
    if attribute in NUMBERS:
        hint = forms.NumberInput(attrs={"placeholder": grouped(int(default))})
        return forms.IntegerField(label=LABELS[attribute], required=False, min_value=1, widget=hint)
    names = CHOICES[attribute]
    keys = [str(key) for key in PROGRAMS[program].offers.get(attribute, names)]
    standing = names.get(str(int(default)) if isinstance(default, bool) else str(default))
    unset = _("default: %(value)s") % {"value": standing} if standing else _("none")
    return forms.ChoiceField(
        label=LABELS[attribute], required=False, choices=[("", unset), *((key, names[key]) for key in keys)]
    )
