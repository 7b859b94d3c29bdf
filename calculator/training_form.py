"""What a reader may ask of fine-tuning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from django import forms
from django.utils.translation import gettext_lazy

from calculator.fields import FlagField
from calculator.hardware import Training

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
