"""Whether a workload fits on a machine: on cards of one kind, or of several."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, Self

from calculator.architecture.shape import Shape
from calculator.hardware.cards import MAX_CARDS, Card
from calculator.hardware.engines import engine_named
from calculator.hardware.errors import check_bounds
from calculator.hardware.fit import Fit
from calculator.hardware.parallel import (
    NOTHING,
    PARALLEL_FIELDS,
    Fullest,
    Placement,
    place,
    splits,
    told_fullest,
)
from calculator.hardware.reason import Reason
from calculator.hardware.verdict import Room, card_reasons, judge, room_beside
from calculator.memory import ENGINES, Estimate, Workload, WorkloadError
from calculator.memory.engines import resolve
from calculator.memory.workload import Part, Term

STATES = ("does_not_fit", "tight", "fits")  # from worst to best
OF_EACH_CARD = frozenset({"fits", "below_headroom", "fits_at_best"})
"""What is said of the memory of every card, which is not so of cards that differ; `fullest_kind` names the fullest."""


def fit(shape: Shape, workload: Workload, card: Card, count: int, *, extra_bytes: int = 0) -> Fit:
    """Does `workload` fit on `count` of `card`, and what stands `beside` it? `extra_bytes` lie on every device besides
    (a draft model), or are saved there if negative (a shared prefix).

    Raises `HardwareError` for an impossible count, `WorkloadError` for an impossible workload.
    """
    check_bounds("cards", count, 1, MAX_CARDS)
    if card.beside:
        return _on_kinds(shape, workload, card, count, extra_bytes)
    placement = place(shape, _asked(card, workload), count * card.devices)
    said = card_reasons(card, placement.workload, engine_named(workload.engine).card_needs(shape))
    return judge(placement, card, count, said, extra_bytes=extra_bytes)


def room(shape: Shape, workload: Workload, card: Card, count: int, *, extra_bytes: int = 0) -> Room | None:
    """What `fit` says of the fullest card's memory; None where the model cannot be split so. Nothing is said of why,
    which takes a fraction of the time where the engine tells what the fullest card holds. Raises like `fit`."""
    engine = engine_named(workload.engine)
    if card.beside or engine.fullest_bytes is None:
        answer = fit(shape, workload, card, count, extra_bytes=extra_bytes)
        if answer.spare_bytes is None or answer.most_spare_bytes is None:
            return None
        return Room(answer.state, answer.spare_bytes, answer.most_spare_bytes, answer.headroom_bytes)
    return _told_room(shape, workload, card, count, extra_bytes)


def room_at_rest(shape: Shape, workload: Workload, card: Card, count: int, *, extra_bytes: int = 0) -> Room | None:
    """No less than `room` tells, and no worse a state, in a fraction of its time, where `is_told_at_rest`; None where
    the model cannot be split so. Raises like `fit`."""
    return _told_room(shape, workload, card, count, extra_bytes, at_rest=True)


def is_told_at_rest(workload: Workload, card: Card) -> bool:
    """Whether `room_at_rest` may be asked."""
    return not card.beside and engine_named(workload.engine).at_rest_bytes is not None


def _told_room(
    shape: Shape, workload: Workload, card: Card, count: int, extra_bytes: int, *, at_rest: bool = False
) -> Room | None:
    check_bounds("cards", count, 1, MAX_CARDS)
    engine = engine_named(workload.engine)
    asked = resolve(ENGINES[workload.engine], shape, _asked(card, workload))
    found = told_fullest(shape, asked, count * card.devices, at_rest=at_rest)
    if found is None:
        return None
    told = room_beside(card, engine.offered_bytes(card, asked), found, extra_bytes)
    said = card_reasons(card, asked, engine.card_needs(shape))
    refused = count > card.max_cards or any(reason.blocks for reason in said)
    return told._replace(state="does_not_fit") if refused else told


class Numbers(NamedTuple):
    """Of a `Fit` what lists show of it: bytes of the fullest card, what it has beyond them, those on all cards, and the
    file's. None where the model cannot be split so."""

    state: str
    workload: Workload
    per_card_bytes: int | None
    spare_bytes: int | None
    needed_bytes: int | None
    file_bytes: int | None

    @classmethod
    def of(cls, answer: Fit) -> Self:
        return cls(
            state=answer.state,
            workload=answer.workload,
            per_card_bytes=answer.per_card_bytes,
            spare_bytes=answer.spare_bytes,
            needed_bytes=answer.needed_bytes,
            file_bytes=None if answer.estimate is None else answer.estimate.file_bytes,
        )


def numbers(shape: Shape, workload: Workload, card: Card, count: int) -> Numbers:
    """What `fit` says, without why, which takes a fraction of the time where the engine tells what equal cards hold.
    Raises like `fit`."""
    engine = engine_named(workload.engine)
    if card.beside or engine.by_format is None or workload.file_bytes is not None:
        return Numbers.of(fit(shape, workload, card, count))
    check_bounds("cards", count, 1, MAX_CARDS)
    asked = resolve(ENGINES[workload.engine], shape, _asked(card, workload))
    offered = engine.offered_bytes(card, asked)
    refused: Workload | None = None
    for split in splits(asked, count * card.devices):
        try:
            told = next(iter(engine.by_format(shape, split, (split.weight_format or "",))))
        except WorkloadError as error:
            if error.field not in PARALLEL_FIELDS:
                raise
            refused = refused or split
            continue
        left = room_beside(card, offered, Fullest(*told.fullest, NOTHING))
        said = card_reasons(card, split, engine.card_needs(shape))
        blocked = count > card.max_cards or any(reason.blocks for reason in said)
        fullest = told.fullest[1] * card.devices
        state = "does_not_fit" if blocked else left.state
        return Numbers(state, split, fullest, left.spare, told.total_bytes, told.file_bytes)
    return Numbers("does_not_fit", refused or asked, None, None, None, None)


class Held(NamedTuple):
    """A workload in one weight format, its split said, and the room that it leaves on the fullest card; bytes on all
    cards, and of the file."""

    workload: Workload
    room: Room
    total_bytes: int
    file_bytes: int


def held(
    shape: Shape, workload: Workload, card: Card, count: int, weight_formats: Iterable[str], *, extra_bytes: int = 0
) -> Iterator[Held]:
    """What `room` says in each of these formats that comes near, whatever the card says of them, of an engine that
    tells what equal cards hold.

    Raises like `fit`, and `WorkloadError` also for a split that the engine refuses (llama.cpp: over 16 cards or more),
    for which `fit` gives its reason.
    """
    engine = engine_named(workload.engine)
    if card.beside or engine.by_format is None:
        raise ValueError(f"{workload.engine} is asked for a fit")
    check_bounds("cards", count, 1, MAX_CARDS)
    asked = resolve(ENGINES[workload.engine], shape, _asked(card, workload.in_format(None)))
    split, offered = next(splits(asked, count * card.devices)), engine.offered_bytes(card, asked)
    for told in engine.by_format(shape, split, weight_formats, offered[1] // card.devices - extra_bytes):
        left = room_beside(card, offered, Fullest(*told.fullest, NOTHING), extra_bytes)
        yield Held(split.but(weight_format=told.weight_format), left, told.total_bytes, told.file_bytes)


def totals(shape: Shape, workload: Workload, weight_formats: Iterable[str]) -> dict[str, int]:
    """Bytes on all cards in each of these formats, as `estimate` adds them up, where the engine tells them without
    saying why. Empty where it does not, or the workload cannot be."""
    tell = engine_named(workload.engine).by_format
    if tell is None:
        return {}
    try:
        asked = resolve(ENGINES[workload.engine], shape, workload.in_format(None))
        return {told.weight_format: told.total_bytes for told in tell(shape, asked, weight_formats)}
    except WorkloadError:
        return {}


def _asked(card: Card, workload: Workload) -> Workload:
    alike = engine_named(workload.engine).alike(card)
    return alike._replace(card_bytes=card.device_bytes).on(workload)


def _on_kinds(shape: Shape, workload: Workload, card: Card, count: int, extra_bytes: int) -> Fit:
    """Each kind is weighed by itself; the machine runs the model where all do, and the fullest kind gives the figures.

    Every kind is asked about the whole split: only what lies beside the model differs from card to card.
    """
    kinds = card.kinds(count)
    devices = [kind for kind, number in kinds for _ in range(number * kind.devices)]
    if unlike := _unlike(workload, kinds):
        return judge(Placement(devices=len(devices), workload=workload, estimate=None), card, count, (unlike,))
    engine = engine_named(workload.engine)
    split = workload if workload.tensor_split else workload.but(tensor_split=engine.shares(devices))
    needs = engine.card_needs(shape)
    fits: list[Fit] = []
    holds: list[tuple[Estimate, Sequence[int]]] = []
    for kind, number in kinds:
        placement = place(shape, _asked(kind, split), len(devices))
        own = [index for index, device in enumerate(devices) if device is kind]
        placed = _on_devices(placement, own)
        if placed.estimate is not None:
            holds.append((placed.estimate, own))
        said = card_reasons(kind, placement.workload, needs)
        fits.append(judge(placed, kind, number, said, extra_bytes=extra_bytes))
    fullest = min(fits, key=lambda each: (STATES.index(each.state), each.spare_bytes or 0))
    needed = None if any(each.needed_bytes is None for each in fits) else sum(each.needed_bytes or 0 for each in fits)
    unsaid = {"tensor_split": workload.tensor_split}  # the program takes these shares by itself
    return replace(
        fullest,
        card=card,
        count=count,
        workload=fullest.workload.but(**unsaid),
        estimate=_joined(holds, unsaid) if holds else None,
        needed_bytes=needed,
        reasons=tuple(_reasons(fits, fullest)),
    )


def _unlike(workload: Workload, kinds: Sequence[tuple[Card, int]]) -> Reason | None:
    """Why these cards do not work together under this engine."""
    if engine_named(workload.engine).shares([kind for kind, _number in kinds]) is None:
        return Reason("one_kind", {"engine": workload.engine}, blocks=True)
    if alone := next((kind for kind, _number in kinds if kind.max_cards == 1), None):
        return Reason("stands_alone", {"card": alone.name}, blocks=True)
    if len({kind.vendor for kind, _number in kinds}) > 1:  # builds for CUDA, HIP, CANN ... each know their own
        return Reason("one_back_end", {"engine": workload.engine}, blocks=True)
    return None


def _reasons(fits: Sequence[Fit], fullest: Fit) -> Iterable[Reason]:
    """Of memory what the fullest kind says, by its name; and once each what any kind says of the engine, the format and
    the split."""
    if fullest.estimate is not None:
        yield Reason("fullest_kind", {"card": fullest.card.name})
    said = []
    for each in (fullest, *(other for other in fits if other is not fullest)):
        for reason in each.reasons:
            if reason.key == "too_large":
                reason = replace(reason, key="kind_too_large", values={**reason.values, "card": each.card.name})
            if reason not in said and reason.key not in OF_EACH_CARD:
                said.append(reason)
    yield from said


def _on_devices(placement: Placement, own: Sequence[int]) -> Placement:
    """What lies on the devices of one kind alone."""
    answer = placement.estimate
    if answer is None:
        return placement
    cards = tuple(answer.by_card[index] for index in own)
    sizes = [sum(card.values()) for card in cards]
    held = replace(answer, cards=cards, per_card_bytes=max(sizes))
    return replace(placement, devices=len(own), estimate=held, total_bytes=sum(sizes))


def _joined(holds: Sequence[tuple[Estimate, Sequence[int]]], unsaid: Mapping[str, Any]) -> Estimate:
    """One estimate of all kinds: every card as its own kind has it, and of what is a card's own each kind's share."""
    first, _own = holds[0]
    cards = {index: card for answer, own in holds for index, card in zip(own, answer.cards, strict=True)}
    ranges = {index: answer.overhead_range_bytes for answer, own in holds for index in own}
    known = [each for each in ranges.values() if each is not None]
    parts = tuple(
        part if part.key != "overhead" else Part(key=part.key, terms=tuple(_overhead(holds, len(cards))))
        for part in first.parts
    )
    return replace(
        first,
        workload=first.workload.but(**unsaid),
        parts=parts,
        cards=tuple(cards[index] for index in sorted(cards)),
        per_card_bytes=max(answer.per_card_bytes for answer, _own in holds),
        overhead_range_bytes=(min(least for least, _ in known), max(most for _, most in known)) if known else None,
        overhead_ranges=tuple(ranges[index] for index in sorted(ranges)),
    )


def _overhead(holds: Sequence[tuple[Estimate, Sequence[int]]], devices: int) -> Iterable[Term]:
    """Of each kind the terms of all devices, as many of them as are its own."""
    for answer, own in holds:
        for term in answer.part("overhead").terms:
            yield Term(term.key, {**term.values, "cards": len(own)}, term.bytes // devices * len(own))
