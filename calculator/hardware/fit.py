"""Whether a workload fits on some cards, and by how much."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from calculator.architecture.shape import Shape
from calculator.hardware.cards import GIB, MAX_CARDS, Card
from calculator.hardware.errors import HardwareError, check_bounds
from calculator.hardware.parallel import Placement, place
from calculator.hardware.support import Reason, card_reasons
from calculator.memory import Estimate, Workload
from calculator.memory.vllm import BATCHED_TOKENS_BY_CARD, UTILISATION_PERCENT

COUNTS = (1, 2, 4, 8)

# Memory that must stay free on each device for a fit to be more than tight: a share in percent, and a floor.
# llama.cpp: `--fit` leaves 1,024 MiB per device (tools/fit-params/README.md); 5 % covers the estimate's own error.
# vLLM: `--gpu-memory-utilization` is 0.92 by default (0.33.0), so the rest is free unless the reader raises it.
# transformers: PyTorch's caching allocator fragments; a tenth is our allowance, not a documented figure.
HEADROOM: Mapping[str, tuple[int, int]] = {
    "llama.cpp": (5, GIB),
    "vllm": (100 - UTILISATION_PERCENT, 0),
    "transformers": (10, GIB),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """The answer for `count` cards of a kind. Bytes are per card, for the fullest card.

    `state` is `fits` (the headroom stays free), `tight` (it fits, with less than the headroom to spare) or
    `does_not_fit`. `spare_bytes` is negative where it does not fit for want of memory. `needed_bytes` is the sum
    over all cards. `workload` has the parallelism this answer assumes.
    """

    state: str
    card: Card
    count: int
    workload: Workload
    estimate: Estimate | None
    per_card_bytes: int | None  # None: the model cannot be split this way, so there is no number
    needed_bytes: int | None
    spare_bytes: int | None
    headroom_bytes: int
    reasons: tuple[Reason, ...]

    @property
    def usable_bytes(self) -> int:
        """Usable memory of all cards together."""
        return self.card.usable_bytes * self.count

    @property
    def refused(self) -> bool:
        """Does not fit for another reason than memory."""
        return any(reason.blocks and reason.key != "too_large" for reason in self.reasons)


def headroom_bytes(device_bytes: int, engine: str) -> int:
    """Memory of one device that should stay free (`HEADROOM`)."""
    percent, floor = HEADROOM[engine]
    return max(device_bytes * percent // 100, floor)


def fit(shape: Shape, workload: Workload, card: Card, count: int, *, extra_bytes: int = 0) -> Fit:
    """Does `workload` fit on `count` of `card`? `extra_bytes` lie on every device besides (a draft model), or
    are saved there if negative (a shared prefix).

    Raises `HardwareError` for an impossible count, `WorkloadError` for an impossible workload.
    """
    check_bounds("cards", count, 1, MAX_CARDS)
    placement = place(shape, replace(workload, card_bytes=card.device_bytes), count * card.devices)
    said = card_reasons(card, workload.engine, placement.workload.weight_format)
    return judge(placement, card, count, said, extra_bytes=extra_bytes)


def fit_all(shape: Shape, workload: Workload, cards: Iterable[Card], counts: Sequence[int] = COUNTS) -> list[Fit]:
    """`fit` for every card and count, each placement computed once for all cards that an engine treats alike.

    vLLM's notes on what it reserves then name the smallest card of that size; ask `fit` for one card's.
    """
    placements: dict[tuple[int | None, int], Placement] = {}
    fits = []
    for card in cards:
        size = _size(card.device_bytes) if workload.engine == "vllm" else None
        said: dict[str | None, tuple[Reason, ...]] = {}
        for count in counts:
            key = (size, count * card.devices)
            if key not in placements:
                placements[key] = place(shape, replace(workload, card_bytes=size), key[1])
            weight_format = placements[key].workload.weight_format
            if weight_format not in said:
                said[weight_format] = card_reasons(card, workload.engine, weight_format)
            fits.append(judge(placements[key], card, count, said[weight_format]))
    return fits


def _size(device_bytes: int) -> int | None:
    """vLLM chooses its batch by the card's memory, in steps; the least memory of this card's step."""
    return next((least for least, _tokens in BATCHED_TOKENS_BY_CARD if device_bytes >= least), None)


def only_kind(cards: Sequence[Card]) -> tuple[Card, int]:
    """The card and its count; mixed cards are refused, since engines then split by hand-given proportions."""
    kinds = {card.slug for card in cards}
    if not cards:
        raise HardwareError("cards", "none")
    if len(kinds) > 1:
        raise HardwareError("cards", "mixed", cards=tuple(sorted(kinds)))
    return cards[0], len(cards)


def judge(placement: Placement, card: Card, count: int, said: tuple[Reason, ...], *, extra_bytes: int = 0) -> Fit:
    """Weigh a placement against one kind of card; `said` is what the card says of the engine and the format."""
    workload = placement.workload
    reasons = [*said, *placement.reasons]
    if count > card.max_cards:
        reasons.append(Reason("too_many_of_a_kind", {"cards": count, "most": card.max_cards}, blocks=True))
    headroom = headroom_bytes(card.device_bytes, workload.engine) * card.devices
    per_card = needed = spare = None
    if placement.estimate is not None and placement.total_bytes is not None:
        per_card = (placement.estimate.per_card_bytes + extra_bytes) * card.devices
        needed = placement.total_bytes + extra_bytes * placement.devices
        spare = card.usable_bytes - per_card
        reasons.insert(0, _memory_reason(spare, headroom, card))
    blocked = any(reason.blocks for reason in reasons)
    tight = spare is not None and spare < headroom
    return Fit(
        state="does_not_fit" if blocked else "tight" if tight else "fits",
        card=card,
        count=count,
        workload=workload,
        estimate=placement.estimate,
        per_card_bytes=per_card,
        needed_bytes=needed,
        spare_bytes=spare,
        headroom_bytes=headroom,
        reasons=tuple(reasons),
    )


def _memory_reason(spare: int, headroom: int, card: Card) -> Reason:
    if spare < 0:
        return Reason("too_large", {"short_bytes": -spare, "usable_bytes": card.usable_bytes}, blocks=True)
    return Reason("below_headroom" if spare < headroom else "fits", {"spare_bytes": spare, "headroom_bytes": headroom})
