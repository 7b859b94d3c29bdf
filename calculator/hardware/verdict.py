"""Whether a workload fits on some cards: placed, weighed against the card, and told why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from calculator.architecture.shape import Shape
from calculator.hardware.cards import Card
from calculator.hardware.engines import engine_named
from calculator.hardware.engines.base import Alike
from calculator.hardware.fit import Fit, Sized
from calculator.hardware.headroom import PYTORCH
from calculator.hardware.parallel import Fullest, Placement, place
from calculator.hardware.reason import Reason
from calculator.memory import Estimate, Workload

COUNTS = (1, 2, 4, 8)


def fit_all(shape: Shape, workload: Workload, cards: Iterable[Card], counts: Sequence[int] = COUNTS) -> list[Fit]:
    """The fit of every card and count, each placement computed once for all cards that an engine treats alike.

    Notes on what a server reserves then name the smallest card of that size; ask `fit` for one card's.
    """
    engine = engine_named(workload.engine)
    needs = engine.card_needs(shape)
    placements: dict[tuple[Alike, int], Placement] = {}
    fits = []
    for card in cards:
        asked = engine.alike(card)
        said: dict[str | None, tuple[Reason, ...]] = {}
        for count in counts:
            key = (asked, count * card.devices)
            if key not in placements:
                placements[key] = place(shape, asked.on(workload), key[1])
            placed = placements[key].workload
            if placed.weight_format not in said:
                said[placed.weight_format] = card_reasons(card, placed, needs)
            fits.append(judge(placements[key], card, count, said[placed.weight_format]))
    return fits


def card_reasons(card: Card, workload: Workload, needs: frozenset[str]) -> tuple[Reason, ...]:
    """All that this card says about an engine, what a model's layers need, and a weight format (None: not settled)."""
    engine, weight_format = engine_named(workload.engine), workload.weight_format
    formats = () if weight_format is None else engine.format_reasons(card, weight_format)
    return (*engine.support.reasons(workload.engine, card), *engine.needs_reasons(card, needs), *formats)


def judge(placement: Placement, card: Card, count: int, said: tuple[Reason, ...], *, extra_bytes: int = 0) -> Fit:
    """Weigh a placement against one kind of card; `said` is what the card says of the engine and the format."""
    workload = placement.workload
    reasons = [*said, *placement.reasons]
    if count > card.max_cards:
        reasons.append(Reason("too_many_of_a_kind", {"cards": count, "most": card.max_cards}, blocks=True))
    unasked, offered = engine_named(workload.engine).offered_bytes(card, workload)
    per_card = needed = least = most = room = None
    if placement.estimate is not None and placement.total_bytes is not None:
        least, per_card, most = (
            (bytes_ + extra_bytes) * card.devices for bytes_ in interval(placement.estimate, card.device_bytes)
        )
        needed = placement.total_bytes + extra_bytes * placement.devices
        outside = placement.estimate.outside_bytes
        room = room_on(card, (unasked, offered), (least, per_card, most), outside)
        if not starts(card, unasked, outside[0]):
            free = card.usable_bytes - outside[0] * card.devices
            reasons.append(Reason("more_than_is_free", {"asked_bytes": unasked, "free_bytes": free}, blocks=True))
        reasons.insert(0, _memory_reason(room.spare, room.headroom, room.most_spare, room.spare + per_card))
    return Fit(
        state="does_not_fit" if room is None or any(reason.blocks for reason in reasons) else room.state,
        card=card,
        fullest=card,
        count=count,
        workload=workload,
        estimate=placement.estimate,
        per_card_bytes=per_card,
        needed_bytes=needed,
        spare_bytes=room and room.spare,
        headroom_bytes=room.headroom if room else 0,
        least_bytes=least,
        most_bytes=most,
        most_spare_bytes=room and room.most_spare,
        reasons=tuple(reasons),
    )


def size(card: Card, count: int, offered: tuple[int, int], found: Fullest) -> Sized:
    """As `judge` weighs what is `found` on the fullest of `count` cards, where nothing but memory is in the way;
    `offered` is what the engine takes of a card, unasked and at the most."""
    room = room_beside(card, offered, found)
    per_card = found.bytes * card.devices
    return Sized(card=card, count=count, state=room.state, per_card_bytes=per_card, spare_bytes=room.spare)


class Room(NamedTuple):
    """What a card has beyond our figure and beyond the lower end, and how much the first must be for `fits`."""

    state: str
    spare: int
    most_spare: int
    headroom: int


def room_beside(card: Card, offered: tuple[int, int], found: Fullest, extra_bytes: int = 0) -> Room:
    """What a card that is `offered` so much has beyond what is `found` on the fullest, and `extra_bytes` on each of its
    devices besides. A server that does not start fits nothing."""
    least, per_card, most = ((bytes_ + extra_bytes) * card.devices for bytes_ in found[:3])
    room = room_on(card, offered, (least, per_card, most), found.outside_bytes)
    return room if starts(card, offered[0], found.outside_bytes[0]) else room._replace(state="does_not_fit")


def room_on(card: Card, offered: tuple[int, int], needed: tuple[int, int, int], outside: tuple[int, int, int]) -> Room:
    """`needed` is the interval of one card, its figure in the middle."""
    least, per_card, most = needed
    at_best, told = (offered_beside(card, offered[1], beside) for beside in outside[:2])
    taken = offered_beside(card, offered[0], outside[2])
    state, headroom = fit_state(least, most, taken, at_best), most - per_card + told - taken
    return Room(state, told - per_card, at_best - least, headroom)


def offered_beside(card: Card, offered: int, outside: int) -> int:
    """Of one card: what a program is told to take, and on each device `outside` that it does not count."""
    return min(offered + outside * card.devices, card.usable_bytes)


def starts(card: Card, unasked: int, outside: int) -> bool:
    """A server does not, where less is free than it takes: vLLM's `v1/worker/utils.py` (`request_memory`)."""
    return unasked + outside * card.devices <= card.usable_bytes


def fit_state(least: int, most: int, unasked: int, offered: int) -> str:
    """A card needs `least` to `most` bytes; a program takes so much of it `unasked`, and can be told `offered`."""
    if least > offered:
        return "does_not_fit"
    return "fits" if most <= unasked else "tight"


def training_state(needed_bytes: int, device_bytes: int) -> str:
    """Training runs in PyTorch, and may need as much more than the figure as inference in transformers."""
    return fit_state(needed_bytes, needed_bytes + PYTORCH.of(device_bytes), device_bytes, device_bytes)


def interval(answer: Estimate, device_bytes: int) -> tuple[int, int, int]:
    """The least that the fullest device needs, our figure, and the most."""
    measured = answer.per_card_range_bytes
    if measured is not None:
        return measured[0], answer.per_card_bytes, measured[1]
    allowance = engine_named(answer.workload.engine).allowance.of(device_bytes)
    return answer.per_card_bytes, answer.per_card_bytes, answer.per_card_bytes + allowance


def _memory_reason(spare: int, headroom: int, most_spare: int, offered: int) -> Reason:
    """`most_spare` stays free at the lower end of the interval."""
    if most_spare < 0:
        return Reason("too_large", {"short_bytes": -spare, "usable_bytes": offered}, blocks=True)
    if spare < 0:
        return Reason("fits_at_best", {"short_bytes": -spare, "spare_bytes": most_spare})
    return Reason("below_headroom" if spare < headroom else "fits", {"spare_bytes": spare, "headroom_bytes": headroom})
