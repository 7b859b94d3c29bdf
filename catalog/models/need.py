"""What a model holds on cards under each engine, stored, so that a list asks by one comparison which models may fit."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Exists, OuterRef, Q

from calculator.architecture import Shape
from calculator.memory import ENGINES, Workload, WorkloadError, estimate, kept_bytes

if TYPE_CHECKING:
    from catalog.models import LanguageModel

STOPS = {8192: "held_8k_bytes", 32768: "held_32k_bytes", 131072: "held_128k_bytes"}
"""Tokens of context -> the column of what is held there."""

BATCH = 500


class Need(models.Model):
    """Of one model under one engine, in its default format: the bytes that no set of cards holds less of. Buffers and
    overhead, which differ from card to card, are none of them.

    Whether a set of cards runs the model is judged by the calculator. This says for which models that is worth asking:
    what is held never shrinks when the context grows or cards are added. A column is empty where the model is not made
    for so long a context.
    """

    model = models.ForeignKey("catalog.LanguageModel", related_name="needs", on_delete=models.CASCADE)
    engine = models.CharField(max_length=20)
    context_tokens = models.PositiveBigIntegerField(null=True)
    weights_bytes = models.PositiveBigIntegerField()
    held_8k_bytes = models.PositiveBigIntegerField(null=True)
    held_32k_bytes = models.PositiveBigIntegerField(null=True)
    held_128k_bytes = models.PositiveBigIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["model", "engine"], name="need_once")]
        indexes = [models.Index(fields=["context_tokens"], name="needs_by_context")]  # which lengths there are

    def __str__(self) -> str:
        return f"{self.model_id} {self.engine}"


COLUMNS = ("weights_bytes", *STOPS.values())
"""What a model holds at the least, at no context and from those of `STOPS` on."""


def held_at(context_tokens: int) -> str:
    """The column of what a model holds at that context at the least."""
    stop = max((tokens for tokens in STOPS if tokens <= context_tokens), default=None)
    return STOPS[stop] if stop else "weights_bytes"


def may_fit(memory_bytes: int, context_tokens: int, engine: Any, model: str, column: str = "") -> Exists:
    """Models that might fit in so much memory at that context: all that do, and few others.

    `model` is the path from the row that is asked about to the model's key. A model that is not made for the context
    does not answer; one whose longest context nobody states may. `column` is that of the context, where it was asked
    for before.
    """
    column = column or held_at(context_tokens)
    long_enough = Q(context_tokens__gte=context_tokens) | Q(context_tokens=None)
    needs = Need.objects.filter(long_enough, model=OuterRef(model), engine=engine)
    return Exists(needs.filter(**{f"{column}__lte": memory_bytes}))


def longest_alike(context_tokens: int, version: str) -> int:
    """The longest context for which `may_fit` asks the same of every model as for this one: no column begins before
    it, and no model is made for a length between the two."""
    column = min((tokens - 1 for tokens in STOPS if tokens > context_tokens), default=None)
    lengths = _lengths(version)
    at = bisect_left(lengths, context_tokens)
    ends = [tokens for tokens in (column, *lengths[at : at + 1]) if tokens is not None]
    return min(ends, default=context_tokens)


@lru_cache(maxsize=2)
def _lengths(version: str) -> Sequence[int]:
    """The longest contexts that models are made for, read once after each change."""
    known = Need.objects.order_by("context_tokens").values_list("context_tokens", flat=True).distinct()
    return [tokens for tokens in known if tokens is not None]


def needs_of(model: LanguageModel, shape: Shape | None) -> Iterator[Need]:
    """One for each engine that runs the model; none for a model whose config is not known."""
    if shape is None:
        return
    longest = model.max_context_tokens or shape.context_tokens
    for engine in ENGINES:
        stops = [tokens for tokens in STOPS if not longest or tokens <= longest]
        try:
            weights = estimate(shape, Workload(engine=engine, context_tokens=min(stops, default=1))).part("weights")
        except WorkloadError:  # for whatever context: no engine refuses one for its length
            continue
        yield Need(
            model_id=model.pk,  # not the row: who keeps needs would keep its config with them
            engine=engine,
            context_tokens=longest,
            weights_bytes=weights.bytes,
            **{STOPS[tokens]: kept_bytes(shape, Workload(engine=engine, context_tokens=tokens)) for tokens in stops},
        )


def same_of(model: LanguageModel, needs: Iterable[Need]) -> Iterator[Need]:
    """What these say of another model, of `model`."""
    columns = [field.attname for field in Need._meta.concrete_fields if not field.primary_key]
    for need in needs:
        yield Need(**{column: getattr(need, column) for column in columns} | {"model_id": model.pk})


def store(wanted_needs: Iterable[Need], keys: Iterable[int]) -> bool:
    """Brings the stored needs of the models with these keys to what is given; returns whether any differed."""
    columns = [field.attname for field in Need._meta.concrete_fields if not field.primary_key]

    def told(need: Need) -> tuple[Any, ...]:
        return tuple(getattr(need, column) for column in columns)

    held: dict[tuple[Any, ...], int] = {}
    asked = list(keys)
    for start in range(0, len(asked), BATCH):
        held |= {told(need): need.pk for need in Need.objects.filter(model__in=asked[start : start + BATCH])}
    wanted = {told(need): need for need in wanted_needs}
    if wanted.keys() == held.keys():
        return False
    gone = [pk for values, pk in held.items() if values not in wanted]
    for start in range(0, len(gone), BATCH):
        Need.objects.filter(pk__in=gone[start : start + BATCH]).delete()
    Need.objects.bulk_create([need for values, need in wanted.items() if values not in held], batch_size=BATCH)
    return True
