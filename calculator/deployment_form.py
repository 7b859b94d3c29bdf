"""What the full calculator asks beyond the panel: users' requests, a shared prefix, a draft model, speed of RAM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calculator.architecture import Shape
from calculator.hardware.cards import GB
from calculator.knobs import KNOBS
from calculator.workload_form import WorkloadForm

MOST_TOKENS = 2**30


def _whole(label: Any, least: int, most: int) -> forms.IntegerField:
    return forms.IntegerField(label=label, required=False, min_value=least, max_value=most)


class DeploymentForm(WorkloadForm):
    """One way to serve a model to users.

    `prompt` and `output` are the tokens of one request; they set the context where it is left out. `drafts` are
    (slug, name) of the smaller models that may guess ahead; `head_faults` says what is wrong with the draft head that
    was given instead, which is part of `shape` where nothing is.
    """

    settings: ClassVar[frozenset[str]] = WorkloadForm.settings | {"ram"}
    offers_second_kind = True

    prompt = _whole(gettext_lazy("Prompt (tokens)"), 1, MOST_TOKENS)
    output = _whole(gettext_lazy("Output (tokens)"), 1, MOST_TOKENS)
    ram = forms.FloatField(label=gettext_lazy("Bandwidth of RAM (GB/s)"), required=False, min_value=1, max_value=10_000)
    shared = _whole(gettext_lazy("Shared prefix (tokens)"), 0, MOST_TOKENS)
    draft = forms.ChoiceField(label=gettext_lazy("Draft model"), required=False)
    draft_config = forms.CharField(
        label=gettext_lazy("Draft head (its config.json)"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "aria-describedby": "draft_config-help"}),
    )

    def __init__(
        self,
        shape: Shape,
        query: Mapping[str, str],
        *,
        drafts: Sequence[tuple[str, str]] = (),
        head_faults: Sequence[str] = (),
        **options: Any,
    ) -> None:
        self.head_faults = head_faults
        super().__init__(shape, _with_context(query), **options)
        self.choose("draft", [("", _("none")), *drafts])

    def clean(self) -> dict[str, Any]:
        super().clean()
        self._check_head()
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
        return self.cleaned_data

    def _check_head(self) -> None:
        for fault in self.head_faults:
            self.add_error("draft_config", fault)
        if self.shape.draft_head is not None and self.cleaned_data.get("draft"):
            self.add_error("draft_config", _("Choose a draft model or give a draft head, not both."))

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

    @property
    def extra_settings(self) -> tuple[str, ...]:
        """RAM sets the speed of an engine that computes with what lies there."""
        asked = self.engine_name in KNOBS["cpu_moe"].engines() or (self.is_bound and "ram" in self.errors)
        return ("ram",) if asked else ()

    @property
    def has_more(self) -> bool:
        """Whether the less common questions are answered, so that their disclosure opens."""
        names = ("prompt", "output", "shared", "draft", "draft_config", "vision")
        return any(self.answers.get(name) for name in names)


def _with_context(query: Mapping[str, str]) -> Mapping[str, str]:
    """Prompt and output say how long the context must be, where the reader does not."""
    if query.get("context"):
        return query
    try:
        asked = int(query["prompt"]) + int(query["output"])
    except (KeyError, ValueError):
        return query
    return {**query, "context": str(asked)} if 0 < asked <= MOST_TOKENS else query
