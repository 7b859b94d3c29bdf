"""What a reader may ask of the calculator, checked. One form serves the model page, the calculator and the API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, cast
from urllib.parse import urlencode

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calculator import labels
from calculator.architecture import Shape
from calculator.fields import FlagField, RefusingSelect
from calculator.hardware import Card, Fit, HardwareError, fit
from calculator.hardware_form import HARDWARE, HardwareForm
from calculator.knobs import KNOBS, Knob
from calculator.memory import ENGINES, Estimate, Workload, WorkloadError, default_workload, estimate
from calculator.memory.engines import (
    MAX_CONTEXT_TOKENS,
    Engine,
    default_kv_format,
    is_mlx_checkpoint,
    kv_formats,
    refusal,
    resolve,
)
from calculator.memory.workload import DEFAULT_ENGINE, UNASKED, UNSET_KNOBS

# Name in the URL -> attribute of `Workload`. The order is the order of the questions.
QUESTIONS: Mapping[str, str] = {
    "engine": "engine",
    "weights": "weight_format",
    "kv": "kv_format",
    "kv_v": "kv_v_format",
    "context": "context_tokens",
    "sequences": "sequences",
    "vision": "vision",
    **{name: knob.attribute for name, knob in KNOBS.items()},
}


UNSET: Mapping[str, object] = {
    **UNSET_KNOBS,
    "weight_format": None,
    "kv_format": None,
    "kv_v_format": None,
    "vision": False,
}
"""What an address leaves out."""


class WorkloadForm(HardwareForm):
    """A workload for one model, and the cards it may run on, from a query string.

    A question that is left out takes the engine's own default; one that is answered wrongly is an error
    beside its field and never a silent default. `max_context_tokens` is the longest context that is answered: the
    `model_maximum`, unless that is beyond all bounds. A valid form has its `workload` and `estimate`, and with a card
    it is `placed` on it.
    """

    settings: ClassVar[frozenset[str]] = frozenset(KNOBS)
    """What stands among the settings of some engine: shown for those that have it."""

    workload: Workload
    estimate: Estimate
    placed: Fit | None = None

    engine = forms.CharField(label=gettext_lazy("Engine"), required=False, widget=RefusingSelect)
    weights = forms.CharField(label=gettext_lazy("Quantisation (weight format)"), required=False, widget=forms.Select)
    kv = forms.CharField(label=gettext_lazy("KV cache format"), required=False, widget=forms.Select)
    kv_v = forms.CharField(label=gettext_lazy("Format of the values"), required=False, widget=forms.HiddenInput)
    context = forms.IntegerField(label=gettext_lazy("Context length"), required=False, min_value=1)
    sequences = forms.IntegerField(label=gettext_lazy("Concurrent requests"), required=False, min_value=1)
    vision = FlagField(label=gettext_lazy("Image encoder"), required=False)

    def __init__(
        self,
        shape: Shape,
        query: Mapping[str, str],
        *,
        max_context_tokens: int | None = None,
        formats_may_default: bool = False,
        cards: Iterable[Card] = (),
    ) -> None:
        """`formats_may_default`: the reader has just changed the engine; what it does not offer takes its default."""
        self.shape = shape
        self.model_maximum = max_context_tokens or shape.context_tokens
        self.max_context_tokens = self.model_maximum and min(self.model_maximum, MAX_CONTEXT_TOKENS)
        self.formats_may_default = formats_may_default
        super().__init__(query, cards)
        self._listed: dict[str, list[tuple[str, str]]] = {}
        self._offer()
        for name, knob in KNOBS.items():  # of others only those that are answered, to be refused
            if name in self.answers or self.engine_name in knob.engines():
                self.fields[name] = knob.field()
        self.order_fields(QUESTIONS)

    def _offer(self) -> None:
        """Fill the lists of choices for the chosen engine, and what is chosen where the reader left it open."""
        asked = default_workload(self.shape, self.max_context_tokens)
        default = asked.engine
        chosen = str(self.answers.get("engine", default)).casefold()
        self.engine_name = chosen if chosen in ENGINES else default
        self.default_engine = default
        refused = {name: error for name in ENGINES if (error := refusal(self.shape, name))}
        names = ((name, self._engine_label(name, refused.get(name))) for name in ENGINES)
        self._choices("engine", names, self.engine_name)
        cast(RefusingSelect, self.fields["engine"].widget).refused = frozenset(refused)
        self.refusal = refusal(self.shape, self.engine_name)
        if self.refusal is None:
            engine = ENGINES[self.engine_name]
            weight_formats = engine.weight_formats(self.shape)
            self._choices(
                "weights", zip(weight_formats, weight_formats, strict=True), engine.default_weight_format(self.shape)
            )
            self._offer_caches(engine)
        self.answers.setdefault("context", asked.context_tokens)
        self.answers.setdefault("sequences", 1)
        if self.formats_may_default:  # a setting of the engine before goes with it
            for name in KNOBS:
                if self.engine_name not in KNOBS[name].engines():
                    self.answers.pop(name, None)

    def _offer_caches(self, engine: Engine) -> None:
        """Where the weights decide what a cache is stored in, there is nothing else to choose; where a checkpoint says
        it, that is the default of its own weights alone."""
        weight_format = str(self.answers["weights"])
        offered = kv_formats(engine, self.shape, weight_format)
        known = {name.casefold() for name in engine.kv_formats(self.shape)}
        for name in ("kv", "kv_v"):
            given = str(self.answers.get(name, "")).casefold()
            if given in known and given not in map(str.casefold, offered):
                self.answers[name] = offered[0]
        default = default_kv_format(engine, self.shape, weight_format)
        self._choices("kv", zip(offered, offered, strict=True), default if default in offered else offered[0])

    @staticmethod
    def _engine_label(name: str, error: WorkloadError | None) -> str:
        if error is None:
            return labels.engine_name(name)
        return _("%(engine)s: %(reason)s") % {"engine": labels.engine_name(name), "reason": labels.error_text(error)}

    @property
    def why_engine(self) -> str:
        """Why the engine at hand is the default; empty where it is the reader's own choice."""
        if self.engine_name != self.default_engine:
            return ""
        words = {"engine": labels.engine_name(self.engine_name), "first": labels.engine_name(DEFAULT_ENGINE)}
        if is_mlx_checkpoint(self.shape) and self.engine_name != DEFAULT_ENGINE:
            return _("%(engine)s is the default because no other engine here loads this checkpoint.") % words
        if self.engine_name == DEFAULT_ENGINE:
            return _("%(engine)s is the default because it runs on most kinds of card.") % words
        return _("%(engine)s is the default because %(first)s does not run this model.") % words

    @property
    def knobs(self) -> list[Knob]:
        """The settings that the chosen engine has, and those answered in spite of it, which are errors."""
        return [
            knob
            for name, knob in KNOBS.items()
            if self.engine_name in knob.engines() or (self.is_bound and name in self.errors)
        ]

    @property
    def extra_settings(self) -> tuple[str, ...]:
        """Questions that stand beside the engine's settings without being any."""
        return ()

    @property
    def has_settings(self) -> bool:
        """Whether a setting of the engine is turned, so that their disclosure opens."""
        names = (*(knob.name for knob in self.knobs), *self.extra_settings, "vision")
        return any(self.answers.get(name) for name in names) or str(self.answers.get("sequences", 1)) != "1"

    def choices_of(self, name: str) -> Sequence[tuple[str, str]]:
        """What the list of this question offers; nothing where no engine was asked."""
        return self._listed.get(name, ())

    def _choices(self, name: str, choices: Any, default: str) -> None:
        choices = list(choices)
        folded = {value.casefold(): value for value, _label in choices}
        given = str(self.answers.setdefault(name, default))
        if self.formats_may_default and given.casefold() not in folded:
            given = default
        # Formats are spelled in any case in commands and links; the page shows the engine's own spelling,
        # and a wrong one stays in the list, marked, so that the page does not claim another choice.
        self.answers[name] = folded.get(given.casefold(), given)
        if self.answers[name] not in folded.values():
            choices.insert(0, (given, given))
        self._listed[name] = choices
        self.choose(name, choices)

    def clean_context(self) -> int:
        tokens: int = self.cleaned_data["context"]
        if self.model_maximum and tokens > self.model_maximum:
            message = _("%(tokens)s tokens are more than this model's maximum of %(most)s.")
            raise forms.ValidationError(message % {"tokens": f"{tokens:,}", "most": f"{self.model_maximum:,}"})
        return tokens

    def clean(self) -> dict[str, Any]:
        """Ask the engine about all answers together; where one is wrong about each on its own, too, so that every fault
        is told at once."""
        asked = self._asked()
        if asked.get("engine") not in ENGINES:
            error = WorkloadError("engine", "unknown", value=asked.get("engine"), offered=tuple(ENGINES))
            self.add_error("engine", labels.error_text(error))
            asked["engine"] = self.engine_name
        if self.refusal:  # there is nothing more to ask an engine that does not run the model
            self.add_error("engine", labels.error_text(self.refusal))
            return self.cleaned_data
        self._refuse_knobs_of_others()
        if not self.errors:
            try:
                self.workload = resolve(ENGINES[asked["engine"]], self.shape, UNASKED.but(**asked))
                self.estimate = estimate(self.shape, self.workload)
            except WorkloadError as error:
                self._refuse_each(asked)
                if not self.errors:  # only together
                    names = {attribute: name for name, attribute in QUESTIONS.items()}
                    self.add_error(names.get(error.field, "engine"), labels.error_text(error))
        else:
            self._refuse_each(asked)
        if not self.errors and self.chosen_card:
            try:
                self.placed = fit(self.shape, self.workload, self.chosen_card, self.num_cards)
            except HardwareError as error:
                self.add_error(
                    "tp" if self.engine_name in KNOBS["tp"].engines() else "cards", labels.hardware_error_text(error)
                )
        return self.cleaned_data

    def _refuse_each(self, asked: Mapping[str, Any]) -> None:
        for name, attribute in QUESTIONS.items():
            if name == "engine" or attribute not in asked or name in self.errors:
                continue
            try:
                alone = UNASKED.but(engine=asked["engine"], **{attribute: asked[attribute]})
                resolve(ENGINES[asked["engine"]], self.shape, alone)
            except WorkloadError as error:
                self.add_error(name, labels.error_text(error))

    def _refuse_knobs_of_others(self) -> None:
        for name, knob in KNOBS.items():
            having, value = knob.engines(), self.cleaned_data.get(name)
            if value not in (None, UNSET_KNOBS[knob.attribute]) and self.engine_name not in having:
                self.add_error(name, _("Only %(engine)s can do this.") % {"engine": labels.engine_list(having)})

    def _asked(self) -> dict[str, Any]:
        return {
            attribute: self.cleaned_data[name]
            for name, attribute in QUESTIONS.items()
            if self.cleaned_data.get(name) not in (None, "")
        }

    def query_of(self, workload: Workload, count: int) -> str:
        """The address of another workload on `count` of the same cards: the reader's answers, but for what differs.

        Another engine starts from its own defaults.
        """
        shown = self._answered()
        if workload.engine != self.workload.engine:
            shown = {name: value for name, value in shown.items() if name in HARDWARE}
        for name, attribute in QUESTIONS.items():
            value = getattr(workload, attribute)
            if value == UNSET.get(attribute) or (name == "kv_v" and value == workload.kv_format):
                shown.pop(name, None)
            elif workload.engine != self.workload.engine or value != getattr(self.workload, attribute):
                shown[name] = KNOBS[name].written(value) if name in KNOBS else value
        return urlencode(shown | {"cards": count})

    def urlencode(self, **changes: object) -> str:
        """The answers as a query string, with `changes`."""
        return urlencode(self._answered() | changes) if changes else self._query

    @cached_property
    def _query(self) -> str:
        return urlencode(self._answered())

    def _answered(self) -> dict[str, Any]:
        shown = {name: self.answers[name] for name in self.fields if name in self.answers}
        for card, cards in (("card", "cards"), ("card2", "cards2")):
            if not shown.get(card):
                shown.pop(cards, None)
        return shown
