"""What to change so that a workload fits on its cards: each change computed, none guessed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from calculator.architecture.shape import Shape
from calculator.hardware.cards import Card
from calculator.hardware.engines import engine_named
from calculator.hardware.fit import Fit
from calculator.hardware.formats import best_format
from calculator.hardware.limits import (
    DEEPEST_SOUGHT,
    Rule,
    holds_by,
    is_enough,
    largest_context,
    least_offload,
    most_sequences,
    too_small,
)
from calculator.hardware.machine import fit
from calculator.memory import ENGINES, Workload, WorkloadError
from calculator.memory.engines import MeasuredEngine, engines_for, kv_formats, resolve

CARDS = (*range(2, 9), 10, 12, 16, 24, 32, 64)
"""How many cards a machine, or a few of them, are built with, beyond one."""
SHORTEST = 2048
"""A context below this is no answer to somebody who wants to run the model."""
HELPS: Rule = "enough"
"""What is short by our figure helps nobody; what has no more than that is told as tight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """One change (`KEYS`) and how the workload then fits."""

    key: str
    workload: Workload
    fit: Fit
    share: float | None = None  # of a card, that a server may take


KEYS = (
    "smaller_weights",
    "smaller_kv",
    "shorter_context",
    "more_cards",
    "experts_to_ram",
    "layers_to_ram",
    "fewer_sequences",
    "smaller_kv_shorter_context",
    "other_engine",
)
"""In the order in which they are named: what is least of a loss comes first."""

BY_ANOTHER = ("other_engine",)  # which counts a context in steps of its own

RUINED = 1.0
"""Rise of perplexity, as a share, from which other weights are named last."""


IN_RAM = ("experts_to_ram", "layers_to_ram")


def unsought(shape: Shape, workload: Workload) -> tuple[str, ...]:
    """The kinds of change that the engine knows and `fixes` does not try, for `least_offload` answers none."""
    splits = "gpu_layers" in engine_named(workload.engine).flags
    return IN_RAM if splits and len(shape.layers) > DEEPEST_SOUGHT else ()


def fixes(shape: Shape, workload: Workload, asked: Fit, *, extra_bytes: int = 0) -> Iterator[Fix]:
    """Every single change that makes `workload` fit on the cards on which it was `asked`, or on more of them, but for
    what is `unsought`. `extra_bytes` as in `fit`."""
    file_bytes = asked.estimate.file_bytes if asked.estimate else None
    # With fewer sequences a context may be counted otherwise, so theirs stays as it is.
    rounded = engine_named(workload.engine).rounded(workload) if workload.sequences == 1 else workload
    found = _by_the_engine(_Search(shape, rounded, asked.card, asked.count, extra_bytes, file_bytes))
    here = [_of_context(fix, rounded.context_tokens, workload.context_tokens) for fix in found]
    yield from (fix for fix in here if not _ruins(fix))
    yield from _Search(shape, workload, asked.card, asked.count, extra_bytes, file_bytes).fixes(BY_ANOTHER)
    yield from (fix for fix in here if _ruins(fix))


@lru_cache(maxsize=256)
def _by_the_engine(search: _Search) -> tuple[Fix, ...]:
    """Changes of what the engine is asked, once for all contexts that it counts alike."""
    return tuple(search.fixes(key for key in KEYS if key not in BY_ANOTHER))


def _of_context(fix: Fix, kept: int, tokens: int) -> Fix:
    """The same for a context of `tokens` that the engine counts like the one that was `kept`."""
    if kept == tokens or fix.workload.context_tokens != kept:
        return fix
    context = {"context_tokens": tokens}
    told = replace(fix.fit, workload=fix.fit.workload.but(**context))
    return replace(fix, workload=fix.workload.but(**context), fit=told)


def _ruins(fix: Fix) -> bool:
    return fix.key == "smaller_weights" and _loss(fix.workload) >= RUINED


@dataclass(frozen=True)
class _Search:
    """One question; what several changes ask is asked once."""

    shape: Shape
    workload: Workload
    card: Card
    count: int
    extra: int
    file_bytes: int | None

    def fixes(self, keys: Iterable[str]) -> Iterator[Fix]:
        for key in keys:
            workload, count = getattr(self, f"_{key}")(), self.count
            if key == "more_cards" and workload is not None:
                workload, count = workload
            if workload is None:
                continue
            answer = self._fit(workload, count)
            if answer is None or not is_enough(answer.state, answer.spare_bytes):
                continue
            yield Fix(key=key, workload=workload, fit=answer)

    def _fit(self, workload: Workload, count: int | None = None) -> Fit | None:
        try:
            return fit(self.shape, workload, self.card, count or self.count, extra_bytes=self.extra)
        except WorkloadError:
            return None

    def _holds(self, workload: Workload, count: int | None = None) -> bool:
        count = count or self.count
        if too_small(self.shape, workload, self.card, count, extra_bytes=self.extra):
            return False
        try:
            return holds_by(self.shape, workload, self.card, count, HELPS, extra_bytes=self.extra)
        except WorkloadError:
            return False

    def _longest(self, workload: Workload) -> Workload | None:
        try:
            if too_small(self.shape, workload, self.card, self.count, extra_bytes=self.extra):
                return None
            tokens = largest_context(
                self.shape,
                workload,
                self.card,
                self.count,
                rule=HELPS,
                extra_bytes=self.extra,
                most=workload.context_tokens,
            )
        except WorkloadError:
            return None
        return workload.but(context_tokens=tokens) if tokens and tokens >= SHORTEST else None

    @cached_property
    def _kv_formats(self) -> tuple[Workload, ...]:
        """The workload with each cache format after its own, which are smaller."""
        offered = kv_formats(ENGINES[self.workload.engine], self.shape, self.workload.weight_format)
        own = offered.index(self.workload.kv_format) if self.workload.kv_format in offered else 0
        return tuple(self.workload.but(kv_format=name, kv_v_format=name) for name in offered[own + 1 :])

    @cached_property
    def _in_smaller_kv(self) -> Workload | None:
        return next((each for each in self._kv_formats if self._holds(each)), None)

    @cached_property
    def _with_shorter_context(self) -> Workload | None:
        return self._longest(self.workload)

    def _smaller_kv(self) -> Workload | None:
        return self._in_smaller_kv

    def _shorter_context(self) -> Workload | None:
        return self._with_shorter_context

    def _smaller_kv_shorter_context(self) -> Workload | None:
        """Only where the smaller cache alone does not do: the longest context that any of the smaller formats holds."""
        if self._in_smaller_kv is not None:
            return None
        plain = self._with_shorter_context
        found = [longest for each in self._kv_formats if (longest := self._longest(each))]
        best = max(found, key=lambda each: each.context_tokens, default=None)
        return best if best and (plain is None or best.context_tokens > plain.context_tokens) else None

    def _fewer_sequences(self) -> Workload | None:
        if self.workload.sequences < 2:
            return None
        try:
            most = most_sequences(self.shape, self.workload, self.card, self.count, rule=HELPS, extra_bytes=self.extra)
        except WorkloadError:
            return None
        return self.workload.but(sequences=most) if most and most < self.workload.sequences else None

    def _smaller_weights(self) -> Workload | None:
        """The best format of a smaller file that fits, with the cache that goes with it where weights decide that."""
        engine, asked = ENGINES[self.workload.engine], self.workload
        if len(kv_formats(engine, self.shape, asked.weight_format)) < len(engine.kv_formats(self.shape)):
            asked = asked.but(kv_format=None, kv_v_format=None)
        try:
            best = best_format(
                self.shape,
                asked,
                self.card,
                self.count,
                tight=True,
                below_bytes=self.file_bytes,
                by_quality=True,
                extra_bytes=self.extra,
            )
        except WorkloadError:
            return None
        if best is None:
            return None
        found = asked.in_format(best.workload.weight_format)
        return found if asked is self.workload else resolve(engine, self.shape, found)

    @cached_property
    def _offloaded(self) -> Workload | None:
        try:
            whole = self.workload.but(gpu_layers=None, cpu_expert_layers=0)
            return least_offload(self.shape, whole, self.card, self.count, extra_bytes=self.extra)
        except WorkloadError:
            return None

    def _experts_to_ram(self) -> Workload | None:
        found = self._offloaded
        return found if found and found.cpu_expert_layers and found.gpu_layers is None else None

    def _layers_to_ram(self) -> Workload | None:
        found = self._offloaded
        return found if found and found.gpu_layers is not None else None

    def _more_cards(self) -> tuple[Workload, int] | None:
        whole = self.workload.unsplit()
        for count in CARDS:
            if self.count < count <= self.card.max_cards and self._holds(whole, count):
                return whole, count
        return None

    def _other_engine(self) -> Workload | None:
        """The first other engine that runs the model on these cards, in its best format that fits."""
        asked = self.workload
        for name in engines_for(self.shape):
            if name == asked.engine:
                continue
            other = Workload(
                engine=name, context_tokens=asked.context_tokens, sequences=asked.sequences, vision=asked.vision
            )
            try:
                found = best_format(
                    self.shape, resolve(ENGINES[name], self.shape, other), self.card, self.count, tight=True
                )
            except WorkloadError:
                continue
            if found is not None:
                return other.in_format(found.workload.weight_format)
        return None


def _loss(workload: Workload) -> float:
    """Rise of perplexity over 16 bits, as a share; 0 where nobody measured it."""
    engine = ENGINES[workload.engine]
    if not isinstance(engine, MeasuredEngine):
        return 0.0
    return engine.perplexity_rise(workload.weight_format or "", importance_matrix=workload.importance_matrix) or 0.0
