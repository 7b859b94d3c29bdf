"""The best models that fit: candidates by one comparison on what is stored, in the order of a board, then judged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.utils.functional import Promise

from calculator import labels
from calculator.architecture import Shape
from calculator.catalogue import Model
from calculator.deployment_answers import CommandView, commands
from calculator.fit_words import room_text
from calculator.hardware import (
    Card,
    Fit,
    HardwareError,
    Numbers,
    Sized,
    card_remarks,
    engine_named,
    fit,
    largest_context,
    numbers,
)
from calculator.hardware.verdict import card_reasons
from calculator.memory import Workload, WorkloadError
from calculator.memory.workload import DEFAULT_ENGINE
from catalog.bridge.catalogue import sources
from catalog.bridge.one_row import Values
from catalog.bridge.rows import models_to_place
from catalog.bridge.shapes import max_context_tokens, shape_of
from catalog.models import DataChange, LanguageModel, Place, Release
from catalog.models.need import COLUMNS, held_at, longest_alike, may_fit

SHOWN = 5
READ = 12
"""Candidates are read so many at a time: of those that may fit, few do not."""

MOST_JUDGED = 60
"""Where so many candidates in a row leave fewer than `SHOWN`, the answer ends, and a link goes on from there."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A model's place on a board, with the ranks between which it could lie."""

    model: LanguageModel
    rank: int
    low: int
    high: int
    index: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """So many cards of a kind (and what stands beside them), the context that must fit, and the engine."""

    card: Card
    count: int
    context_tokens: int
    engine: str
    vision: bool = False  # with the image encoder: nobody asks who sees best to read text

    @property
    def workload(self) -> Workload:
        return Workload(engine=self.engine, context_tokens=self.context_tokens, vision=self.vision)

    @property
    def anywhere(self) -> Workload:
        """The same whatever context is asked about."""
        return Workload(engine=self.engine, vision=self.vision)

    @property
    def query(self) -> dict[str, str]:
        """What a model's page is asked for the same, but for the cards."""
        asked = {"engine": self.engine, "context": str(self.context_tokens)}
        return asked | ({"vision": "1"} if self.vision else {})

    @property
    def refusal(self) -> str:
        """Why the engine runs nothing at all on these cards; empty where it may."""
        said = (
            reason
            for kind, _number in self.card.kinds(self.count)
            for reason in card_reasons(kind, self.workload, frozenset())
        )
        return next((labels.reason_text(reason) for reason in said if reason.blocks), "")

    @property
    def remarks(self) -> list[str]:
        """What the cards say of the engine, and of the weights that it mostly runs."""
        return [labels.reason_text(reason) for reason in card_remarks(self.card, self.engine)]

    @property
    def format_is_refused(self) -> bool:
        """Whether the cards do not run the weights that the engine mostly runs, whatever their memory."""
        return any(reason.blocks for reason in card_remarks(self.card, self.engine))


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """A ranked model that fits, in the engine's default format, and all that is needed to start it.

    `query` is the state of the model's page that shows the same. `file_bytes` is what has to be downloaded.
    """

    place: Ranked
    workload: Workload
    needed_bytes: int
    badge: str
    state: str | Promise
    room: str
    file_bytes: int
    largest_context: int | None
    command: CommandView | None
    query: str

    @property
    def model(self) -> LanguageModel:
        return self.place.model

    @property
    def weight_format(self) -> str:
        return self.workload.weight_format or ""


@dataclass(frozen=True, slots=True)
class BestModels:
    """`next_start` is where a next answer goes on, None at the end of the board."""

    found: Sequence[Best]
    next_start: int | None


def best_models(release: Release, question: Question, start: int = 0) -> BestModels:
    """The best of a board that surely fit, from candidate `start` on."""
    found: list[Best] = []
    at, query = start, urlencode(question.query)
    for place in _candidates(release, question, start):
        if len(found) == SHOWN or at - start == MOST_JUDGED:
            return BestModels(found, at)
        at += 1
        if best := _judged(place, question, query):
            found.append(best)
    return BestModels(found, None)


def _candidates(release: Release, question: Question, start: int) -> Iterator[Ranked]:
    """Ranked models that may fit, the best first, read a few at a time."""
    usable, version = question.card.usable_of(question.count), DataChange.version()
    tokens = longest_alike(question.context_tokens, version)
    while read := _places(release.pk, usable, tokens, question.engine, start, version):
        models = {model.pk: model for model in models_to_place([key for key, *_place in read])}
        yield from (Ranked(models[key], *place) for key, *place in read if key in models)
        start += READ
        if len(read) < READ:
            return


@lru_cache(maxsize=256)
def _places(
    release: int, usable_bytes: int, context_tokens: int, engine: str, start: int, version: str
) -> Sequence[tuple[Any, ...]]:
    """Key of a model, rank, low, high and index of `READ` candidates, read once after each change."""
    column = held_at(context_tokens)
    return tuple(PLACES.of(release, usable_bytes, context_tokens, engine=engine, column=column, start=start))


def _rows(
    release: int, usable_bytes: int, context_tokens: int, *, engine: str, column: str, start: int
) -> QuerySet[Place]:
    may = may_fit(usable_bytes, context_tokens, engine, "model_id", column)
    places = Place.objects.filter(may, release=release, rank__isnull=False, model__is_published=True)
    return places.order_by("rank", "model__slug")[start : start + READ]


PLACES = Values(_rows, "model_id", "rank", "low", "high", "index")


def write_questions() -> None:
    """What is asked at any context, before somebody asks."""
    for column in COLUMNS:
        PLACES.write(3, engine=DEFAULT_ENGINE, column=column, start=0)


def _judged(place: Ranked, question: Question, query: str) -> Best | None:
    """The model as its own page shows it on these cards, asked `query` there; None where it does not surely fit."""
    model = place.model
    if (shape := shape_of(model)) is None:
        return None
    longest = max_context_tokens(model, shape)
    if longest and question.context_tokens > longest:
        return None
    rounded = engine_named(question.engine).rounded(question.workload)
    kept = _surely_fits(shape, rounded, question.card, question.count)
    if kept is None:
        return None
    workload = kept.workload.but(context_tokens=question.context_tokens)
    badge, state = labels.STATES[kept.state]
    return Best(
        place=place,
        workload=workload,
        needed_bytes=kept.needed_bytes,
        badge=badge,
        state=state,
        room=room_text(kept.sized),
        file_bytes=kept.file_bytes,
        largest_context=_largest_context(shape, question.anywhere, question.card, question.count, longest),
        command=_command(model, shape, workload, kept.fit),
        query=f"{query}&{urlencode({'weights': workload.weight_format or ''})}",
    )


class _Kept(NamedTuple):
    """`fit` is there where the engine's command says more of the cards than how many they are."""

    state: str
    workload: Workload
    sized: Sized
    needed_bytes: int
    file_bytes: int
    fit: Fit | None


@lru_cache(maxsize=512)
def _surely_fits(shape: Shape, workload: Workload, card: Card, count: int) -> _Kept | None:
    try:
        answer = None if engine_named(workload.engine).by_format else fit(shape, workload, card, count)
        found = Numbers.of(answer) if answer else numbers(shape, workload, card, count)
    except (HardwareError, WorkloadError):
        return None
    if found.state != "fits" or found.per_card_bytes is None or found.spare_bytes is None:
        return None
    sized = Sized(
        card=card,
        count=count,
        state=found.state,
        per_card_bytes=found.per_card_bytes,
        spare_bytes=found.spare_bytes,
    )
    return _Kept(found.state, found.workload, sized, found.needed_bytes or 0, found.file_bytes or 0, answer)


@lru_cache(maxsize=512)
def _largest_context(shape: Shape, anywhere: Workload, card: Card, count: int, longest: int | None) -> int | None:
    return largest_context(shape, anywhere, card, count, most=longest)


def _command(model: LanguageModel, shape: Shape, workload: Workload, placed: Fit | None) -> CommandView | None:
    """That of the engine's first program."""
    asked = Model(name=model.name, shape=shape, sources=sources(model, shape))
    placed = placed and replace(placed, workload=workload)
    return next(iter(commands(asked, workload, placed)), None)
