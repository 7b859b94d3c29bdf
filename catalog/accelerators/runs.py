"""What runs on a card: for each model the best weight format that fits, the room left, and how fast at best."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from django.db.models import BigIntegerField, Case, Exists, ExpressionWrapper, F, IntegerField, OuterRef, Q, Value, When
from django.utils.translation import gettext as _

from calculator import labels
from calculator.architecture import Shape
from calculator.hardware import Card, best_format, best_held, decoding, engine_named, fit, numbers
from calculator.hardware.weight_bytes import WeightBytes
from calculator.memory import ENGINES, Workload, WorkloadError
from calculator.memory.engines import refusal
from calculator.memory.workload import UNASKED
from catalog.bridge.cards import card_of
from catalog.bridge.shapes import max_context_tokens, shape_of
from catalog.models import Accelerator, LanguageModel, Need
from catalog.models.querysets import LanguageModelQuerySet

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How a model runs. `state` is that of a fit, or `unknown`: no config is known, or the engine refuses.

    `context_tokens` is what was asked for, or the model's own maximum where that is shorter. Bytes are over all cards.
    """

    state: str
    weight_format: str = ""
    context_tokens: int = 0
    spare_bytes: int | None = None
    needed_bytes: int | None = None
    tokens_per_s: float | None = None
    bound: str = ""
    reason: Sequence[Any] | None = None  # the engine's refusal: field, key, values

    @property
    def badge(self) -> str:
        return labels.STATES[self.state][0] if self.state in labels.STATES else ""

    @property
    def word(self) -> str:
        return str(labels.STATES[self.state][1]) if self.state in labels.STATES else _("unknown")

    @property
    def reason_text(self) -> str:
        if self.reason:
            return labels.error_text(WorkloadError(self.reason[0], self.reason[1], **self.reason[2]))
        return _("no config.json is known")

    @property
    def bound_text(self) -> str:
        return str(labels.BOUNDS[self.bound]) if self.bound else ""


def words(found: Sequence[Run]) -> dict[str, str]:
    """Of the states and bounds in a list, each looked up once in the reader's language."""
    states = {run.state: run.word for run in {run.state: run for run in found}.values()}
    return states | {run.bound: run.bound_text for run in {run.bound: run for run in found}.values()}


def runs(models: Sequence[LanguageModel], row: Accelerator, count: int, engine: str, context_tokens: int) -> list[Run]:
    """One answer for each model, in order. Models need their `config`."""
    card = card_of(row)
    return [_run(model, card, count, engine, context_tokens) for model in models]


def _run(model: LanguageModel, card: Card, count: int, engine: str, context_tokens: int) -> Run:
    shape = shape_of(model)
    if shape is None:
        return Run(state=UNKNOWN)
    longest = max_context_tokens(model, shape)
    return _of_shape(shape, card, count, engine, min(context_tokens, longest) if longest else context_tokens)


def _of_shape(shape: Shape, card: Card, count: int, engine: str, context: int) -> Run:
    workload = UNASKED.but(engine=engine, context_tokens=context)
    try:
        if engine_named(engine).by_format and (refused := refusal(shape, engine)):
            raise refused  # known of a shape; the way there is not
        return _told(shape, _placed(shape, engine_named(engine).rounded(workload), card, count), card, count, context)
    except WorkloadError as error:
        return Run(state=UNKNOWN, context_tokens=context, reason=(error.field, error.key, error.values))


class _Placed(NamedTuple):
    """What is the same of all contexts that an engine counts alike. `passed` are the weights that a token passes."""

    state: str
    workload: Workload
    spare_bytes: int | None
    needed_bytes: int | None
    passed: WeightBytes | None


@lru_cache(maxsize=512)  # twenty pages of cards
def _placed(shape: Shape, workload: Workload, card: Card, count: int) -> _Placed:
    """In the best format that fits, or else the smallest."""
    engine = engine_named(workload.engine)
    if engine.passed_bytes:
        with suppress(WorkloadError):  # who asks for the fit is told why
            if found := best_held(shape, workload, card, count):
                told = engine.passed_bytes(shape, found.workload)
                return _Placed(found.room.state, found.workload, found.room.spare, found.total_bytes, told)
            least = numbers(shape, _smallest(shape, workload), card, count)
            passed = None if least.needed_bytes is None else engine.passed_bytes(shape, least.workload)
            return _Placed(least.state, least.workload, least.spare_bytes, least.needed_bytes, passed)
    answer = best_format(shape, workload, card, count, tight=True) or fit(
        shape, _smallest(shape, workload), card, count
    )
    passed = engine.weight_bytes(shape, answer.estimate) if answer.estimate else None
    return _Placed(answer.state, answer.workload, answer.spare_bytes, answer.needed_bytes, passed)


def _smallest(shape: Shape, workload: Workload) -> Workload:
    """In the engine's last, smallest format: how much is missing at the least."""
    return workload.in_format(ENGINES[workload.engine].weight_formats(shape)[-1])


def _told(shape: Shape, placed: _Placed, card: Card, count: int, context: int) -> Run:
    tokens_per_s, bound = (
        decoding(shape, placed.workload, placed.passed, card, count, context)
        if placed.passed and placed.state != "does_not_fit"
        else (None, None)
    )
    spare = placed.spare_bytes
    return Run(
        state=placed.state,
        weight_format=placed.workload.weight_format or "",
        context_tokens=context,
        spare_bytes=None if spare is None else spare * count,
        needed_bytes=placed.needed_bytes,
        tokens_per_s=tokens_per_s,
        bound=bound or "",
    )


def largest_that_fits_first(rows: LanguageModelQuerySet, usable_bytes: int, engine: str) -> LanguageModelQuerySet:
    """Models that need no more than that by default, the largest first; then the others, the nearest first.

    The column is what a model's own page shows at first: it orders rows without computing each of them.
    It is for the first engine that runs a model, so an earlier `engine` refuses it: such models stand last. What MLX
    packed is shown in MLX first, whoever else runs the model: then the earlier `engine` has a need of its own.
    """
    after = list(ENGINES)[list(ENGINES).index(engine) + 1 :]
    run = Need.objects.filter(model=OuterRef("pk"), engine=engine)
    needed = ExpressionWrapper(F("memory_8k_bytes"), output_field=BigIntegerField())
    over = Case(
        When(Q(memory_engine__in=after) & ~Exists(run), then=Value(2)),
        When(memory_8k_bytes__lte=usable_bytes, then=Value(0)),
        When(memory_8k_bytes__isnull=True, then=Value(2)),
        default=Value(1),
        output_field=IntegerField(),
    )
    distance = Case(
        When(memory_8k_bytes__lte=usable_bytes, then=Value(-1) * needed),
        default=needed,
        output_field=BigIntegerField(),
    )
    return rows.order_by(over, distance, "slug")
