"""Part by part what the memory model predicts and what the engine printed, and why the two may differ."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from calculator.architecture import Shape
from calculator.check.cards import Hardware
from calculator.check.compared import Compared
from calculator.check.reasons import reasons_of
from calculator.check.workload import Settled
from calculator.logs import Printed, Reading
from calculator.logs.terms import OF_SECOND, QUANTITIES
from calculator.memory import Workload, capacity
from calculator.memory.contexts import first_bytes, second_bytes
from calculator.memory.of_a_card import card_bytes

OF_A_CARD = {"activation": "activation", "non_torch": "workspaces", "cuda_graphs": "cuda_graphs"}
"""Quantities that vLLM prints for one card, and their names among the reference cases."""

ALWAYS = ("weights", "kv_cache", "state", "compute")
"""Parts on the cards that are shown even where the log stops before them."""


def rows_of(
    reading: Reading, shape: Shape, settled: Settled, hardware: Hardware | None, told_by: str
) -> tuple[Compared, ...]:
    """Every quantity that was printed or that a run of this engine has, those on the cards first."""
    rows = [row for row in _rows(reading, shape, settled, hardware) if row.printed is not None or row.predicted]
    return tuple(
        Compared(
            quantity=row.quantity,
            place=row.place,
            predicted=row.predicted,
            printed=row.printed,
            resolution=row.resolution,
            quotes=row.quotes,
            reasons=tuple(reasons_of(row, reading, settled, hardware, told_by)) if row.error else (),
        )
        for row in rows
    )


def printed_rows(reading: Reading) -> tuple[Compared, ...]:
    """What was printed, where no model is known to compare it with."""
    found: dict[tuple[str, str], list[Printed]] = {}
    for each in reading.printed:
        place = {"card": "cards", "all": "cards"}.get(each.place, each.place)
        found.setdefault((each.quantity, "file" if each.quantity == "file_bytes" else place), []).append(each)
    rows = []
    for (quantity, place), figures in found.items():
        of_cards = [each for each in figures if each.place != "all"]
        rows.append(_row(quantity, place, None, of_cards or figures))
    return tuple(sorted(rows, key=lambda row: QUANTITIES.index(row.quantity)))


def _rows(reading: Reading, shape: Shape, settled: Settled, hardware: Hardware | None) -> Iterable[Compared]:
    for quantity in ALWAYS:
        yield _on_cards(reading, settled, quantity)
    yield from _second(reading, settled)
    for quantity in ("context", "overhead"):
        if reading.of(quantity):
            yield _on_cards(reading, settled, quantity)
    for quantity in OF_A_CARD:
        if reading.of(quantity):
            yield _of_terms(reading, settled, quantity)
    for quantity in ("pool", "kv_tokens"):
        if found := reading.of(quantity):
            predicted = _pool(settled, reading, hardware) if quantity == "pool" else _tokens(reading, shape, settled)
            half = _token_resolution(reading, predicted) if quantity == "kv_tokens" else 0
            yield _row(quantity, "each", predicted, found[:1], half)
    for quantity in ("weights", "compute"):
        if found := reading.of(quantity, "host"):
            predicted = first_bytes(settled.estimate.host, quantity)
            yield _row(quantity, "host", predicted, found)
    if found := reading.of("file_bytes"):
        yield _row("file_bytes", "file", settled.estimate.file_bytes, found)
    if found := reading.of("total"):
        yield _row("total", "cards", _total(settled, reading, hardware, len(found)), found)


def _second(reading: Reading, settled: Settled) -> Iterable[Compared]:
    """What guesses tokens ahead: prediction layers beside what we predict, a draft model as it was printed."""
    answer = settled.estimate
    for quantity, key in OF_SECOND.items():
        for place, parts, places in (("cards", answer.parts, ("card",)), ("host", answer.host, ("host",))):
            found = reading.of(quantity, *places) or (reading.of(quantity, "all") if place == "cards" else ())
            yield _row(quantity, place, second_bytes(parts, key) if settled.workload.mtp else None, found)


def _row(quantity: str, place: str, predicted: int | None, found: Sequence[Printed], more: int = 0) -> Compared:
    return Compared(
        quantity=quantity,
        place=place,
        predicted=predicted,
        printed=sum(each.value for each in found) if found else None,
        resolution=sum(each.resolution for each in found) + more,
        quotes=tuple(each.quote for each in found),
    )


def ranks(workload: Workload) -> int:
    return workload.devices


def _on_cards(reading: Reading, settled: Settled, quantity: str) -> Compared:
    """A part on all cards; on one of them where the engine prints that."""
    answer = settled.estimate
    keys = ("kv_cache", "state") if quantity == "context" else (quantity,)
    predicted = sum(first_bytes(answer.parts, key) for key in keys)
    if quantity == "weights":
        predicted += answer.part("vision").bytes
    if any(each.place == "each" for each in reading.printed):
        return _row(quantity, "each", predicted // ranks(settled.workload), reading.of(quantity, "each")[:1])
    found = reading.of(quantity, "card") or reading.of(quantity, "all")
    if not found and quantity in ("kv_cache", "state") and reading.of("context"):
        predicted = 0  # printed together
    return _row(quantity, "cards", predicted, found)


def _of_terms(reading: Reading, settled: Settled, quantity: str) -> Compared:
    return _row(quantity, "each", card_bytes(settled.estimate, OF_A_CARD[quantity]), reading.of(quantity)[:1])


def _tokens(reading: Reading, shape: Shape, settled: Settled) -> int | None:
    pool = reading.of("pool")
    if not pool:
        return None
    size = pool[0].value + sum(each.value for each in reading.of("state_pool"))
    held = capacity(shape, settled.workload, size)
    return held.tokens if held else None


def _token_resolution(reading: Reading, predicted: int | None) -> int:
    """Tokens that the last digit of the printed pool hides."""
    pool = reading.of("pool")
    return pool[0].resolution * predicted // pool[0].value + 1 if pool and predicted and pool[0].value else 0


def budget(settled: Settled, reading: Reading, hardware: Hardware | None) -> int | None:
    """What a server takes of one card at its start, by its own fraction; None for engines that take what they need."""
    reserved = settled.estimate.reserved_bytes
    if hardware is None or reserved is None:
        return None
    fraction = settled.only_read.get("util")  # where it is no question, the engine's own default was answered
    if isinstance(fraction, float) and 0 < fraction <= 1:
        return int(hardware.card.device_bytes * fraction)
    return reserved // ranks(settled.workload)


def _pool(settled: Settled, reading: Reading, hardware: Hardware | None) -> int | None:
    size = budget(settled, reading, hardware)
    if size is None:
        return None
    answer = settled.estimate
    rest = answer.total_bytes - answer.part("kv_cache").bytes - answer.part("state").bytes
    return max(size - rest // ranks(settled.workload), 0)


def _total(settled: Settled, reading: Reading, hardware: Hardware | None, cards: int) -> int:
    size = budget(settled, reading, hardware)
    return settled.estimate.total_bytes if size is None else size * cards
