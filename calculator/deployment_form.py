"""What the full calculator asks beyond the panel: users' requests, splits, offloading, prefix, draft model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calculator import labels
from calculator.architecture import Shape
from calculator.hardware import HardwareError, engine_named, fit
from calculator.memory import ENGINES
from calculator.workload_form import QUESTIONS, WorkloadForm

MOST_PARALLEL = 1024
MOST_TOKENS = 2**30
GB = 10**9

# Questions that only some engines answer: name in the URL -> attribute of `Workload`.
KNOBS: Mapping[str, str] = {
    "tp": "tensor_parallel",
    "pp": "pipeline_parallel",
    "ngl": "gpu_layers",
    "cpu_moe": "cpu_expert_layers",
}


def _whole(label: Any, least: int, most: int) -> forms.IntegerField:
    return forms.IntegerField(label=label, required=False, min_value=least, max_value=most)


class DeploymentForm(WorkloadForm):
    """One way to serve a model to users.

    `prompt` and `output` are the tokens of one request; they set the context where it is left out. `drafts` are
    (slug, name) of the smaller models that may guess ahead.
    """

    questions: ClassVar[Mapping[str, str]] = {**QUESTIONS, **KNOBS}

    prompt = _whole(gettext_lazy("Prompt (tokens)"), 1, MOST_TOKENS)
    output = _whole(gettext_lazy("Output (tokens)"), 1, MOST_TOKENS)
    tp = _whole(gettext_lazy("Tensor parallel"), 1, MOST_PARALLEL)
    pp = _whole(gettext_lazy("Pipeline parallel"), 1, MOST_PARALLEL)
    ngl = _whole(gettext_lazy("Layers on the cards (-ngl)"), 0, 9999)
    cpu_moe = _whole(gettext_lazy("Layers whose experts stay in RAM (--n-cpu-moe)"), 0, 9999)
    ram = forms.FloatField(label=gettext_lazy("Bandwidth of RAM (GB/s)"), required=False, min_value=1, max_value=10_000)
    shared = _whole(gettext_lazy("Shared prefix (tokens)"), 0, MOST_TOKENS)
    draft = forms.ChoiceField(label=gettext_lazy("Draft model"), required=False)

    def __init__(
        self, shape: Shape, query: Mapping[str, str], *, drafts: Sequence[tuple[str, str]] = (), **options: Any
    ) -> None:
        super().__init__(shape, _with_context(query), **options)
        if self.formats_may_default:
            for name in KNOBS:
                if self.engine_name not in engines_with(name):
                    self.answers.pop(name, None)
        cast(forms.ChoiceField, self.fields["draft"]).choices = [("", _("none")), *drafts]

    def clean(self) -> dict[str, Any]:
        for name in KNOBS:
            answering = engines_with(name)
            if self.cleaned_data.get(name) and self.engine_name not in answering and "engine" not in self.errors:
                self.add_error(name, _("Only %(engine)s can do this.") % {"engine": labels.engine_list(answering)})
        super().clean()
        context = self.cleaned_data.get("context")
        prompt, output = self.cleaned_data.get("prompt"), self.cleaned_data.get("output")
        if context and (prompt or 0) + (output or 0) > context:
            field = "output" if output else "prompt"
            self.add_error(
                field, _("Prompt and output do not fit into %(tokens)s tokens.") % {"tokens": f"{context:,}"}
            )
        if context and (self.cleaned_data.get("shared") or 0) > context:
            self.add_error(
                "shared", _("The prefix is longer than the context of %(tokens)s tokens.") % {"tokens": f"{context:,}"}
            )
        if not self.errors and self.chosen_card:
            try:
                fit(self.shape, self.workload, self.chosen_card, self.num_cards)
            except HardwareError as error:
                self.add_error("tp", labels.hardware_error_text(error))
        return self.cleaned_data

    @property
    def prompt_tokens(self) -> int:
        """Tokens read before the first answer; half the context where nothing else is said."""
        context = self.workload.context_tokens
        output = self.cleaned_data.get("output")
        return self.cleaned_data.get("prompt") or (max(1, context - output) if output else max(1, context // 2))

    @property
    def ram_bytes_per_s(self) -> int | None:
        rate = self.cleaned_data.get("ram")
        return round(rate * GB) if rate else None

    def users(self) -> list[forms.BoundField]:
        return [self[name] for name in ("prompt", "output", "shared")]

    def splits(self) -> list[forms.BoundField]:
        return [self[name] for name in ("tp", "pp")]

    @property
    def split_engines(self) -> str:
        """Names of the engines that a reader can tell how to split, for the heading above `splits`."""
        return labels.engine_list(engines_with("tp"))

    @property
    def offload_engines(self) -> str:
        return labels.engine_list(engines_with("ngl"))

    def offload(self) -> list[forms.BoundField]:
        return [self[name] for name in ("ngl", "cpu_moe", "ram")]

    @property
    def has_more(self) -> bool:
        """Whether the less common questions are answered, so that their disclosure opens."""
        names = ("prompt", "output", "shared", "tp", "pp", "ngl", "cpu_moe", "ram", "draft", "vision")
        return any(self.answers.get(name) for name in names)


def engines_with(name: str) -> tuple[str, ...]:
    """The engines that answer a question of `KNOBS`, in their usual order."""
    return tuple(engine for engine in ENGINES if KNOBS[name] in engine_named(engine).flags)


def _with_context(query: Mapping[str, str]) -> Mapping[str, str]:
    """Prompt and output say how long the context must be, where the reader does not."""
    if query.get("context"):
        return query
    try:
        asked = int(query["prompt"]) + int(query["output"])
    except (KeyError, ValueError):
        return query
    return {**query, "context": str(asked)} if 0 < asked <= MOST_TOKENS else query
