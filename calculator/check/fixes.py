"""What to change so that a run which died fits: each change computed, none guessed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from calculator.architecture import Shape
from calculator.check.cards import Hardware
from calculator.check.comparison import ranks
from calculator.check.workload import Settled
from calculator.hardware import Fit, Fix, fit, fixes, unsought
from calculator.hardware.limits import is_enough
from calculator.logs import Failure
from calculator.memory import WorkloadError

MIB = 2**20
DIED = frozenset({"out_of_memory", "cache_too_small", "cache_too_few_tokens", "no_cache_blocks"})
"""Ends that say what the run held; the others say something of the rest of the machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mending:
    """`asked` is the run as it was, `extra_bytes` what lay on each card besides.

    `unforeseen_bytes` is how much more than predicted a card held by the run's own words, negative where it was less.
    """

    asked: Fit
    extra_bytes: int
    unforeseen_bytes: int
    fixes: tuple[Fix, ...]
    unsought: tuple[str, ...] = ()  # kinds of change that were not tried


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
    held = extra + unforeseen
    found: Iterable[Fix] = ()
    left_out: tuple[str, ...] = ()
    if failure is not None and failure.key == "below_budget" and asked.state != "does_not_fit":
        share = int(100 * failure.values["free_bytes"] / failure.values["total_bytes"]) / 100
        found = [Fix(key="smaller_share", workload=workload, fit=asked, share=share)]
    elif unforeseen or not is_enough(asked.state, asked.spare_bytes):
        found, left_out = fixes(shape, workload, asked, extra_bytes=held), unsought(shape, workload)
    return Mending(asked=asked, extra_bytes=held, unforeseen_bytes=unforeseen, fixes=tuple(found), unsought=left_out)


def _unforeseen(asked: Fit, settled: Settled, failure: Failure) -> int:
    """How much more than predicted a card of the run held, so that it falls short by what the engine says.

    Negative where the prediction is the larger one. An allocation that failed says only that there was too little; a
    server that weighs its cache says how much.
    """
    if asked.spare_bytes is None or failure.key not in DIED:
        return 0
    spare = asked.spare_bytes // asked.card.devices
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
