"""What to change so that a run which died fits: each change computed, none guessed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from calculator.architecture import Shape
from calculator.check.cards import Hardware
from calculator.check.comparison import ranks
from calculator.check.workload import Settled
from calculator.hardware import COUNTS, Fit, fit, format_fits, largest_context, least_offload, most_sequences
from calculator.logs import Failure
from calculator.memory import ENGINES, Workload, WorkloadError

MIB = 2**20
DIED = frozenset({"out_of_memory", "cache_too_small", "cache_too_few_tokens", "no_cache_blocks"})
"""Ends that say what the run held; the others say something of the rest of the machine."""

SHORTEST = 2048
"""A context below this is no answer to somebody who wants to run the model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """One change (`KEYS`) and how the run then fits."""

    key: str
    workload: Workload
    fit: Fit
    share: float | None = None  # of a card, that a server may take


@dataclass(frozen=True, slots=True, kw_only=True)
class Mending:
    """`asked` is the run as it was, `extra_bytes` what lay on each card besides.

    `unforeseen_bytes` is how much more than predicted a card held by the run's own words, negative where it was less.
    """

    asked: Fit
    extra_bytes: int
    unforeseen_bytes: int
    fixes: tuple[Fix, ...]


KEYS = (
    "smaller_kv",
    "shorter_context",
    "smaller_kv_shorter_context",
    "fewer_sequences",
    "smaller_weights",
    "experts_to_ram",
    "layers_to_ram",
    "more_cards",
)


def mend(shape: Shape, settled: Settled, hardware: Hardware, failure: Failure | None) -> Mending | None:
    """The changes that make the run fit on its cards, or more of them. None where it fits and nothing says it died."""
    workload = settled.workload
    own = settled.estimate.part("overhead").bytes // max(hardware.count, 1)
    extra = max(hardware.taken_bytes - own, 0)  # the driver's context is counted among our own parts
    try:
        asked = fit(shape, workload, hardware.card, hardware.count, extra_bytes=extra)
    except WorkloadError:
        return None
    if failure is None and asked.state != "does_not_fit":
        return None
    unforeseen = _unforeseen(asked, settled, failure) if failure is not None else 0
    search = _Search(shape, workload, hardware, extra + unforeseen)
    found: Iterable[Fix] = ()
    if failure is not None and failure.key == "below_budget" and asked.state != "does_not_fit":
        share = int(100 * failure.values["free_bytes"] / failure.values["total_bytes"]) / 100
        found = [Fix(key="smaller_share", workload=workload, fit=asked, share=share)]
    elif asked.state == "does_not_fit" or unforeseen:
        found = search.fixes()
    return Mending(asked=asked, extra_bytes=search.extra, unforeseen_bytes=unforeseen, fixes=tuple(found))


def _unforeseen(asked: Fit, settled: Settled, failure: Failure) -> int:
    """How much more than the least predicted a card of the run held, so that it falls short by what the engine says.

    Negative where the prediction is the larger one. An allocation that failed says only that there was too little; a
    server that weighs its cache says how much.
    """
    if asked.most_spare_bytes is None or failure.key not in DIED:
        return 0
    spare = asked.most_spare_bytes // asked.card.devices
    short = _shortfall(settled, failure)
    if failure.key == "out_of_memory":  # it may have come before all was there
        return spare + max(short or 0, MIB) if spare >= 0 else 0
    return spare + max(short or 0, MIB)


def _shortfall(settled: Settled, failure: Failure) -> int | None:
    """Bytes of a card that were missing by the engine's own words."""
    values, answer = failure.values, settled.estimate
    cache = answer.part("kv_cache").bytes + answer.part("state").bytes
    each = cache // ranks(answer.workload)
    if failure.key == "cache_too_small":
        return int(values["needed_bytes"] - values["available_bytes"])
    if failure.key == "cache_too_few_tokens":
        return each - int(each * values["most_tokens"] / max(values["tokens"], 1))
    if failure.key == "no_cache_blocks":
        return each
    if "free_bytes" in values and failure.bytes is not None:
        return int(failure.bytes - values["free_bytes"])
    return None


@dataclass(frozen=True, slots=True)
class _Search:
    shape: Shape
    workload: Workload
    hardware: Hardware
    extra: int

    def fixes(self) -> Iterator[Fix]:
        for key in KEYS:
            workload, count = getattr(self, f"_{key}")(), self.hardware.count
            if key == "more_cards" and workload is not None:
                workload, count = workload
            if workload is None:
                continue
            answer = self._fit(workload, count)
            if answer is not None and answer.state != "does_not_fit":
                yield Fix(key=key, workload=workload, fit=answer)

    def _fit(self, workload: Workload, count: int | None = None) -> Fit | None:
        try:
            return fit(self.shape, workload, self.hardware.card, count or self.hardware.count, extra_bytes=self.extra)
        except WorkloadError:
            return None

    def _holds(self, workload: Workload) -> bool:
        answer = self._fit(workload)
        return answer is not None and answer.state != "does_not_fit"

    def _longest(self, workload: Workload) -> Workload | None:
        try:
            tokens = largest_context(
                self.shape,
                workload,
                self.hardware.card,
                self.hardware.count,
                tight=True,
                extra_bytes=self.extra,
                most=workload.context_tokens,
            )
        except WorkloadError:
            return None
        return replace(workload, context_tokens=tokens) if tokens and tokens >= SHORTEST else None

    def _kv_formats(self) -> Iterator[Workload]:
        """The workload with each cache format after its own, which are smaller."""
        offered = ENGINES[self.workload.engine].kv_formats(self.shape)
        own = offered.index(self.workload.kv_format) if self.workload.kv_format in offered else 0
        for name in offered[own + 1 :]:
            yield replace(self.workload, kv_format=name, kv_v_format=name)

    def _smaller_kv(self) -> Workload | None:
        return next((each for each in self._kv_formats() if self._holds(each)), None)

    def _shorter_context(self) -> Workload | None:
        return self._longest(self.workload)

    def _smaller_kv_shorter_context(self) -> Workload | None:
        """Only where the smaller cache alone does not do: the longest context that any of the smaller formats holds."""
        if self._smaller_kv() is not None:
            return None
        plain = self._longest(self.workload)
        found = [longest for each in self._kv_formats() if (longest := self._longest(each))]
        best = max(found, key=lambda each: each.context_tokens, default=None)
        return best if best and (plain is None or best.context_tokens > plain.context_tokens) else None

    def _fewer_sequences(self) -> Workload | None:
        if self.workload.sequences < 2:
            return None
        try:
            most = most_sequences(
                self.shape, self.workload, self.hardware.card, self.hardware.count, tight=True, extra_bytes=self.extra
            )
        except WorkloadError:
            return None
        return replace(self.workload, sequences=most) if most and most < self.workload.sequences else None

    def _smaller_weights(self) -> Workload | None:
        """The largest format below its own that fits."""
        try:
            answers = format_fits(
                self.shape, self.workload, self.hardware.card, self.hardware.count, extra_bytes=self.extra
            )
        except WorkloadError:
            return None
        size = {answer.workload.weight_format: answer.estimate.file_bytes for answer in answers if answer.estimate}
        own = size.get(self.workload.weight_format)
        smaller = [
            answer
            for answer in answers
            if answer.state != "does_not_fit" and answer.estimate and (own is None or answer.estimate.file_bytes < own)
        ]
        best = max(smaller, key=lambda answer: size[answer.workload.weight_format], default=None)
        return self.workload.in_format(best.workload.weight_format) if best else None

    def _offloaded(self) -> Workload | None:
        try:
            whole = replace(self.workload, gpu_layers=None, cpu_expert_layers=0)
            return least_offload(self.shape, whole, self.hardware.card, self.hardware.count, extra_bytes=self.extra)
        except WorkloadError:
            return None

    def _experts_to_ram(self) -> Workload | None:
        found = self._offloaded()
        return found if found and found.cpu_expert_layers and found.gpu_layers is None else None

    def _layers_to_ram(self) -> Workload | None:
        found = self._offloaded()
        return found if found and found.gpu_layers is not None else None

    def _more_cards(self) -> tuple[Workload, int] | None:
        whole = self.workload.unsplit()
        for count in COUNTS:
            if self.hardware.count < count <= self.hardware.card.max_cards:
                answer = self._fit(whole, count)
                if answer is not None and answer.state != "does_not_fit":
                    return whole, count
        return None
