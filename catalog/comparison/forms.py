"""The workload under which models are compared, checked against all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from urllib.parse import urlencode

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calculator import labels
from calculator.architecture import Shape
from calculator.fields import FlagField
from calculator.memory import DEFAULT_CONTEXT_TOKENS, DEFAULT_ENGINE, ENGINES
from calculator.memory.engines import MAX_CONTEXT_TOKENS, MAX_SEQUENCES, engines_for
from calculator.public_form import PublicForm
from catalog.bridge.listed_fits import ListedFit
from catalog.bridge.my_hardware import MyHardware
from catalog.models import LanguageModel

FOUND = 12
"""Models to choose from, of those that a search finds."""

QUESTIONS = ("engine", "weights", "kv", "context", "sequences")


class CompareForm(PublicForm):
    """One workload for several models.

    A format that only some of them offer is said in the columns of the others; one that none offers is an error here,
    as is an engine that does not exist. An open question takes the engine's default for each model.
    """

    engine = forms.ChoiceField(label=gettext_lazy("Engine"), required=False)
    weights = forms.ChoiceField(label=gettext_lazy("Quantisation (weight format)"), required=False)
    kv = forms.ChoiceField(label=gettext_lazy("KV cache format"), required=False)
    context = forms.IntegerField(
        label=gettext_lazy("Context length"), required=False, min_value=1, max_value=MAX_CONTEXT_TOKENS
    )
    sequences = forms.IntegerField(
        label=gettext_lazy("Concurrent requests"), required=False, min_value=1, max_value=MAX_SEQUENCES
    )

    def __init__(self, query: Mapping[str, str], shapes: Sequence[Shape], longest: int | None = None) -> None:
        """`longest` is the context that every model can take: the default where it is shorter than the usual one."""
        data = {name: query[name] for name in QUESTIONS if query.get(name)}
        data.setdefault("engine", DEFAULT_ENGINE)
        data.setdefault("context", str(min(DEFAULT_CONTEXT_TOKENS, longest or DEFAULT_CONTEXT_TOKENS)))
        data.setdefault("sequences", "1")
        super().__init__(data=data, auto_id="%s")
        self.given = data
        engine = self._spelled("engine", ENGINES) or DEFAULT_ENGINE
        runnable = [shape for shape in shapes if engine in engines_for(shape)]  # the others' columns say why not
        each = [("", _("default"))]
        self._offer("engine", [(name, labels.engine_name(name)) for name in ENGINES])
        self._offer("weights", each + _union(runnable, ENGINES[engine].weight_formats))
        self._offer("kv", each + _union(runnable, ENGINES[engine].kv_formats))

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        self.choose(name, choices)
        self.given[name] = self._spelled(name, (value for value, _label in choices)) or self.given.get(name, "")

    def _spelled(self, name: str, offered: Iterable[str]) -> str | None:
        """The answer in the engine's own spelling; formats may be written in any case."""
        folded = {value.casefold(): value for value in offered}
        return folded.get(str(self.given.get(name, "")).casefold())

    @property
    def answers(self) -> dict[str, str]:
        """What is asked of every model: the keys of the calculator's own form."""
        return {name: str(self.given[name]) for name in QUESTIONS if self.given.get(name)}

    @property
    def query(self) -> str:
        return urlencode(self.answers)


def _union(shapes: Sequence[Shape], formats: Callable[[Shape], tuple[str, ...]]) -> list[tuple[str, str]]:
    """Every format that at least one of the models offers, in the engine's order."""
    offered = dict.fromkeys(name for shape in shapes for name in formats(shape))
    return [(name, name) for name in offered]


class FindForm(PublicForm):
    """What is searched to stand beside the others; `fits`: only what the reader's cards, `mine`, run as it is asked."""

    q = forms.CharField(required=False)
    fits = FlagField(label=gettext_lazy("Only what fits"), required=False)

    def __init__(self, query: Mapping[str, str], mine: MyHardware) -> None:
        super().__init__(data={name: query[name] for name in ("q", "fits") if query.get(name)}, auto_id="%s")
        self.mine = mine

    @property
    def text(self) -> str:
        return str(self.data.get("q", "")).strip()[:100]

    def clean_fits(self) -> bool:
        fits: bool = self.cleaned_data["fits"]
        if fits and self.mine.card is None and self.mine.valid:
            raise forms.ValidationError(_("Choose your hardware, too."))
        return fits

    @property
    def only(self) -> bool:
        return self.is_valid() and bool(self.cleaned_data["fits"])

    def kept(self, found: Iterable[LanguageModel], fits: Mapping[int, ListedFit]) -> list[LanguageModel]:
        running = {key for key, fit in fits.items() if fit.runs}
        return [model for model in found if not self.only or model.pk in running][:FOUND]
