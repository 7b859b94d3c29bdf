"""What the memory panel shows: an estimate, turned into words, bar segments and table cells.

Nothing is computed here that `calculator.memory` did not answer; this is only how it is laid out.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

from django import forms
from django.utils.translation import gettext as _

from calculator import labels
from calculator.architecture import Shape
from calculator.architecture.known import of_shape
from calculator.context_stops import context_stops, nearest_stop
from calculator.engine_settings import EngineSetting, engine_settings
from calculator.figures import gb, gib, grouped
from calculator.fit_words import FitView, capacity_texts, fit_view
from calculator.fix_words import FixView, unsought_text, what_helps
from calculator.hardware import Card, unsought
from calculator.hardware_form import HARDWARE
from calculator.instant import also_text, host_bytes, ram_text, said_text, shown_parts, stops_text
from calculator.labels.why import why_texts
from calculator.memory import Estimate, Part
from calculator.memory.engines import served
from calculator.recommended_cards import CardSet, recommended, smallest
from calculator.workload_form import WorkloadForm

BAR_WIDTH = 1000
BAR_GAP = 2
BAR_LEAST = 3  # a part that is there can be seen, however small


@dataclass(frozen=True, slots=True, kw_only=True)
class PartView:
    key: str
    label: str
    bytes: int
    host_bytes: int
    formulas: tuple[str, ...]
    x: int
    width: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """`estimate` and all that follows from it are absent while the form has errors.

    With cards of the reader's own, `estimate` is that of the model as it lies on them, and `fit` how it fits. `best` is
    the smallest of the recommended sets, `instant` the answers at every stop of the slider as JSON.
    """

    form: WorkloadForm
    stops: tuple[int, ...]
    stop_index: int
    estimate: Estimate | None = None
    fit: FitView | None = None
    parts: tuple[PartView, ...] = ()
    cards: Sequence[CardSet] = ()
    best: CardSet | None = None
    instant: str = ""
    notes: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    settings: tuple[EngineSetting, ...] = ()
    capacity: tuple[str, ...] = ()
    fixes: tuple[FixView, ...] = ()
    unsought: str = ""
    why: tuple[str, ...] = ()

    @property
    def engine_label(self) -> str:
        return labels.engine_name(self.form.engine_name)

    @property
    def shown_fields(self) -> list[forms.BoundField]:
        """The fields of the form that stand on the page: of the engines' settings only those of the chosen one."""
        shown = {each.field.name for each in self.settings}
        shown |= {field.name for card, cards, _unlisted in self.form.pickers for field in (card, cards)}
        hidden = self.form.settings.union(HARDWARE) - shown
        return [field for field in self.form if field.name not in hidden]

    @property
    def settings_key(self) -> Hashable | None:
        """All that decides what the engine's settings look like; None while an answer is wrong."""
        if self.form.errors:
            return None
        given = self.form.answers
        return self.form.engine_name, tuple((each.name, given.get(each.name), each.in_use) for each in self.settings)

    @property
    def shown_key(self) -> Hashable | None:
        """Likewise for `shown_fields`, of which there is nothing to say."""
        names = tuple(self.form.fields), tuple(each.name for each in self.settings)
        return None if self.form.errors else (*names, len(self.form.pickers))

    @property
    def formats_key(self) -> Hashable | None:
        """Likewise for the lists of formats."""
        if self.form.errors:
            return None
        lists = (tuple(name for name, _label in self.form.choices_of(field)) for field in ("weights", "kv"))
        return self.form.engine_name, *lists, *(self.form.answers.get(name) for name in ("weights", "kv", "kv_v"))

    @property
    def reads_images(self) -> bool:
        return reads_images(self.form.shape)

    @property
    def also(self) -> str:
        """What the figure is of: the format, the context, and the same in GB."""
        return also_text() % self._numbers

    @property
    def host_bytes(self) -> int:
        return host_bytes(self.estimate) if self.estimate else 0

    @property
    def ram(self) -> str:
        """What lies in RAM besides; empty where nothing does."""
        return ram_text() % {"amount": gib(self.host_bytes)} if self.host_bytes else ""

    @property
    def said(self) -> str:
        """The answer as it is read out."""
        return said_text() % self._numbers

    @property
    def _numbers(self) -> dict[str, str]:
        total = self.estimate.total_bytes if self.estimate else 0
        workload = self.form.workload
        return {
            "format": workload.weight_format or "",
            "tokens": grouped(workload.context_tokens),
            "amount": gib(total),
            "gb": gb(total),
        }


@of_shape
def reads_images(shape: Shape) -> bool:
    """Whether it has an encoder of images: all that a page asks of the tensors themselves."""
    return any(shape.tensors_of("vision"))


def build(shape: Shape, form: WorkloadForm, cards: Iterable[Card] = ()) -> Panel:
    """The panel for a form, valid or not. `cards` are those to recommend from."""
    stops = context_stops(form.max_context_tokens or 2**20)
    if not form.is_valid():
        return Panel(form=form, stops=stops, stop_index=0, settings=engine_settings(form))
    placed = fit_view(form.placed) if form.placed else None
    answer = (form.placed and form.placed.estimate) or form.estimate
    sets = recommended(shape, form.workload, cards)
    best = smallest(sets)
    mine = form.chosen_card, form.num_cards
    return Panel(
        form=form,
        stops=stops,
        stop_index=nearest_stop(form.workload.context_tokens, stops),
        estimate=answer,
        fit=placed,
        parts=tuple(_part_views(answer)),
        cards=sets,
        best=best,
        instant=stops_text(shape, form.workload, stops, mine, best.fit if best else None, tuple(shown_parts(answer))),
        notes=tuple(labels.note_text(note) for note in answer.notes),
        assumptions=tuple(labels.assumption_text(key) for key in shape.assumptions),
        settings=engine_settings(form, answer.workload),
        capacity=_capacity(shape, answer) if placed else (),
        fixes=what_helps(form),
        unsought=unsought_text(unsought(shape, form.workload)),
        why=tuple(why_texts(shape, answer)),
    )


def _capacity(shape: Shape, answer: Estimate) -> tuple[str, ...]:
    pool = served(shape, answer)
    return capacity_texts(pool, answer.workload.context_tokens) if pool else ()


def _part_views(answer: Estimate) -> Sequence[PartView]:
    kept = shown_parts(answer)
    shown = [part for part in answer.parts if part.key in kept]
    host = {part.key: part.bytes for part in answer.host}
    views, x = [], 0
    for part, width in zip(shown, _widths(shown), strict=True):
        views.append(
            PartView(
                key=part.key,
                label=str(labels.PARTS[part.key]),
                bytes=part.bytes,
                host_bytes=host.get(part.key, 0),
                formulas=_formulas(part, answer),
                x=x,
                width=width,
            )
        )
        x += width + (BAR_GAP if width else 0)
    return views


def _formulas(part: Part, answer: Estimate) -> tuple[str, ...]:
    """Term by term; and of what is measured, how far measurements lie apart."""
    texts = tuple(labels.term_text(term) for term in part.terms)
    if part.key != "overhead" or answer.overhead_range_bytes is None:
        return texts
    least, most = answer.overhead_range_bytes
    words = _("Rests on measurements: on one card between %(least)s and %(most)s GiB")
    return (*texts, words % {"least": gib(least), "most": gib(most)})


def _widths(parts: Sequence[Part]) -> list[int]:
    """Widths in bar units: proportional, at least `BAR_LEAST` for what is there, filling the bar exactly."""
    total = sum(part.bytes for part in parts)
    room = BAR_WIDTH - BAR_GAP * (sum(1 for part in parts if part.bytes) - 1)
    widths = [max(BAR_LEAST, room * part.bytes // total) if part.bytes else 0 for part in parts]
    largest = widths.index(max(widths))
    widths[largest] += room - sum(widths)
    return widths
