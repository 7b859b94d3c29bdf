"""Whether a workload fits on a machine: on cards of one kind, or of several."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from calculator.architecture.shape import Shape
from calculator.hardware.cards import MAX_CARDS, Card
from calculator.hardware.engines import engine_named
from calculator.hardware.errors import check_bounds
from calculator.hardware.fit import Fit
from calculator.hardware.parallel import Placement, place
from calculator.hardware.reason import Reason
from calculator.hardware.verdict import card_reasons, judge
from calculator.memory import Estimate, Workload
from calculator.memory.workload import Part, Term

STATES = ("does_not_fit", "tight", "fits")  # from worst to best


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


def _asked(card: Card, workload: Workload) -> Workload:
    alike = engine_named(workload.engine).alike(card)
    return alike._replace(card_bytes=card.device_bytes).on(workload)


def _on_kinds(shape: Shape, workload: Workload, card: Card, count: int, extra_bytes: int) -> Fit:
    """Each kind is weighed by itself; the machine runs the model where all do, and the fullest kind gives the figures.

    Every kind is asked about the whole split: only what lies beside the model differs from card to card.
    """
    engine, kinds = engine_named(workload.engine), card.kinds(count)
    devices = [kind for kind, number in kinds for _ in range(number * kind.devices)]
    split = engine.shares(devices)
    back_ends = {engine.alike(kind).back_end for kind, _number in kinds}
    if split is None or len(back_ends) > 1:
        reason = Reason("one_kind" if split is None else "one_back_end", {"engine": workload.engine}, blocks=True)
        return judge(Placement(devices=len(devices), workload=workload, estimate=None), card, count, (reason,))
    if workload.tensor_split is None:
        workload = workload.but(tensor_split=split)
    placements = [place(shape, _asked(kind, workload), len(devices)) for kind, _number in kinds]
    needs = engine.card_needs(shape)
    fits: list[Fit] = []
    holds: list[tuple[Estimate, Sequence[int]]] = []
    for (kind, number), placement in zip(kinds, placements, strict=True):
        own = [index for index, device in enumerate(devices) if device is kind]
        placed = _on_devices(placement, own)
        if placed.estimate is not None:
            holds.append((placed.estimate, own))
        said = card_reasons(kind, placement.workload, needs)
        fits.append(judge(placed, kind, number, said, extra_bytes=extra_bytes))
    fullest = min(fits, key=lambda each: (STATES.index(each.state), each.spare_bytes or 0))
    blocked = [reason for each in fits for reason in each.reasons if reason.blocks and each is not fullest]
    needed = None if any(each.needed_bytes is None for each in fits) else sum(each.needed_bytes or 0 for each in fits)
    return replace(
        fullest,
        card=card,
        count=count,
        estimate=_joined(holds) if holds else None,
        needed_bytes=needed,
        reasons=(Reason("fullest_kind", {"card": fullest.card.name}), *fullest.reasons, *blocked),
    )


def _on_devices(placement: Placement, own: Sequence[int]) -> Placement:
    """What lies on the devices of one kind alone."""
    answer = placement.estimate
    if answer is None:
        return placement
    cards = tuple(answer.by_card[index] for index in own)
    sizes = [sum(card.values()) for card in cards]
    held = replace(answer, cards=cards, per_card_bytes=max(sizes))
    return replace(placement, devices=len(own), estimate=held, total_bytes=sum(sizes))


def _joined(holds: Sequence[tuple[Estimate, Sequence[int]]]) -> Estimate:
    """One estimate of all kinds: every card as its own kind has it, and of what is a card's own each kind's share."""
    first, _own = holds[0]
    cards = {index: card for answer, own in holds for index, card in zip(own, answer.cards, strict=True)}
    ranges = [answer.overhead_range_bytes for answer, _own in holds if answer.overhead_range_bytes]
    parts = tuple(
        part if part.key != "overhead" else Part(key=part.key, terms=tuple(_overhead(holds, len(cards))))
        for part in first.parts
    )
    return replace(
        first,
        parts=parts,
        cards=tuple(cards[index] for index in sorted(cards)),
        per_card_bytes=max(answer.per_card_bytes for answer, _own in holds),
        overhead_range_bytes=(min(least for least, _ in ranges), max(most for _, most in ranges)) if ranges else None,
    )


def _overhead(holds: Sequence[tuple[Estimate, Sequence[int]]], devices: int) -> Iterable[Term]:
    """Of each kind the terms of all devices, as many of them as are its own."""
    for answer, own in holds:
        for term in answer.part("overhead").terms:
            yield Term(term.key, {**term.values, "cards": len(own)}, term.bytes // devices * len(own))
