"""Settings that only some engines have: one name in form, address, API and command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from calculator.fields import FlagField, GigabytesField, OnOffField, SharesField, SlotsField
from calculator.hardware import engine_named
from calculator.hardware.cards import GB
from calculator.memory import ENGINES
from calculator.memory.engines import BOUNDS

MOST_SLOTS = 256  # `LLAMA_MAX_SEQ` of llama.cpp
LONGEST_WORD = 20
MOST_LAYERS = 9999
"""More than any model has; the engine says how many this one has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Knob:
    """`name` is what a reader writes, `attribute` the field of a `Workload`, `aliases` other names in a command line.

    `kind` is what it takes: a `whole` number, a `share` of one, `yes` or nothing, `on_off` where the engine itself
    decides as long as nothing is said, `slots`, a number or "auto", `shares` of the cards, a `word` of the engine's, or
    `gigabytes`.
    """

    name: str
    attribute: str
    label: Any  # translated when it is shown
    kind: str = "whole"
    aliases: tuple[str, ...] = ()

    def field(self) -> forms.Field:
        """One for all forms, none of which changes it."""
        return _field(self.name)

    def made(self) -> forms.Field:
        """A field of its own."""
        if self.kind == "yes":
            return FlagField(label=self.label, required=False)
        if self.kind == "on_off":
            return OnOffField(label=self.label, required=False)
        if self.kind == "slots":
            return SlotsField(label=self.label, required=False, most=MOST_SLOTS)
        if self.kind == "shares":
            return SharesField(label=self.label, required=False)
        if self.kind == "word":
            text = forms.TextInput(attrs={"size": 5, "autocapitalize": "none"})
            return forms.CharField(
                label=self.label, required=False, max_length=LONGEST_WORD, empty_value=None, widget=text
            )
        if self.kind == "gigabytes":
            return GigabytesField(label=self.label, required=False)
        least, most = BOUNDS.get(self.attribute, (0, MOST_LAYERS))
        if self.kind == "share":
            widget = forms.NumberInput(attrs={"step": 0.01})
            return forms.FloatField(label=self.label, required=False, min_value=least, max_value=most, widget=widget)
        return forms.IntegerField(label=self.label, required=False, min_value=int(least), max_value=int(most))

    def written(self, value: Any) -> Any:
        """A field of a `Workload` as a reader writes it."""
        return value / GB if self.kind == "gigabytes" else value

    def engines(self) -> tuple[str, ...]:
        """The engines that have it, in their usual order."""
        return _engines(self.attribute)


@cache
def _engines(attribute: str) -> tuple[str, ...]:
    return tuple(engine for engine in ENGINES if attribute in engine_named(engine).flags)


KNOBS: Mapping[str, Knob] = {
    knob.name: knob
    for knob in (
        Knob(
            name="tp",
            attribute="tensor_parallel",
            label=gettext_lazy("Tensor parallel"),
            aliases=("tensor-parallel",),
        ),
        Knob(
            name="pp",
            attribute="pipeline_parallel",
            label=gettext_lazy("Pipeline parallel"),
            aliases=("pipeline-parallel",),
        ),
        Knob(name="dp", attribute="data_parallel", label=gettext_lazy("Data parallel")),
        Knob(
            name="dp_attention",
            attribute="attention_data_parallel",
            label=gettext_lazy("Data parallel in attention alone"),
            kind="yes",
            aliases=("enable-dp-attention",),
        ),
        Knob(name="ep", attribute="expert_parallel", label=gettext_lazy("Expert parallel"), kind="yes"),
        Knob(name="batched_tokens", attribute="batched_tokens", label=gettext_lazy("Tokens in one step")),
        Knob(name="max_seqs", attribute="max_seqs", label=gettext_lazy("Most sequences at once")),
        Knob(name="util", attribute="util", label=gettext_lazy("Share of the card's memory"), kind="share"),
        Knob(name="mtp", attribute="mtp", label=gettext_lazy("Tokens guessed ahead (MTP)")),
        Knob(name="eager", attribute="eager", label=gettext_lazy("Without CUDA graphs"), kind="yes"),
        Knob(name="prefix_caching", attribute="prefix_caching", label=gettext_lazy("Prefix cache"), kind="on_off"),
        Knob(name="ngl", attribute="gpu_layers", label=gettext_lazy("Layers on the cards")),
        Knob(name="cpu_moe", attribute="cpu_expert_layers", label=gettext_lazy("Layers whose experts stay in RAM")),
        Knob(
            name="imatrix",
            attribute="importance_matrix",
            label=gettext_lazy("File made with an importance matrix"),
            kind="yes",
        ),
        Knob(
            name="file_gb",
            attribute="file_bytes",
            label=gettext_lazy("Size of your file (GB), as of UD or QAT"),
            kind="gigabytes",
        ),
        Knob(name="slots", attribute="slots", label=gettext_lazy("Slots (a number or auto)"), kind="slots"),
        Knob(name="batch", attribute="batch", label=gettext_lazy("Tokens of a batch")),
        Knob(name="ubatch", attribute="micro_batch", label=gettext_lazy("Tokens of a micro-batch")),
        Knob(name="fa", attribute="flash_attention", label=gettext_lazy("Flash attention"), kind="on_off"),
        Knob(
            name="ts",
            attribute="tensor_split",
            label=gettext_lazy("Shares of the cards (3,1)"),
            kind="shares",
            aliases=("tensor-split",),
        ),
        Knob(
            name="ctkd",
            attribute="draft_kv_format",
            label=gettext_lazy("Format of the keys of guessed tokens"),
            kind="word",
            aliases=("cache-type-k-draft",),
        ),
        Knob(
            name="ctvd",
            attribute="draft_kv_v_format",
            label=gettext_lazy("Format of the values of guessed tokens"),
            kind="word",
            aliases=("cache-type-v-draft",),
        ),
        Knob(
            name="mmproj_ram",
            attribute="mmproj_in_ram",
            label=gettext_lazy("Image encoder in RAM"),
            kind="yes",
            aliases=("no-mmproj-offload",),
        ),
        Knob(name="swa_full", attribute="swa_full", label=gettext_lazy("Whole context in windows"), kind="yes"),
    )
}


@cache
def _field(name: str) -> forms.Field:
    return KNOBS[name].made()
