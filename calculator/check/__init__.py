"""A log beside the memory model: whose run it was, what we predict of it, and what to change where it died."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from calculator.catalogue import Model
from calculator.check.cards import Hardware, hardware_of
from calculator.check.compared import Compared
from calculator.check.comparison import rows_of
from calculator.check.fixes import Mending, mend
from calculator.check.workload import Settled, settle
from calculator.hardware import Card
from calculator.logs import Reading, Setting

__all__ = ["Checked", "Compared", "Hardware", "Mending", "Settled", "check"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    settled: Settled
    hardware: Hardware | None
    rows: tuple[Compared, ...]
    mending: Mending | None


def check(
    reading: Reading,
    model: Model,
    *,
    told_by: str = "",
    stated: Mapping[str, Setting] | None = None,
    offered: Iterable[Card] = (),
    card: Card | None = None,
    cards: int | None = None,
) -> Checked:
    """Compare a run with the memory model. `told_by` says what the model was recognised by (`Recognised.by`), `stated`
    what the reader adds to the log; `card` and `cards` are the reader's own words on the hardware.

    Raises `WorkloadError` where the engine is not known or does not run the model.
    """
    hardware = hardware_of(reading, offered, card, cards)
    settled = settle(reading, model.shape, stated or {}, hardware.card if hardware else None)
    return Checked(
        settled=settled,
        hardware=hardware,
        rows=rows_of(reading, model.shape, settled, hardware, told_by),
        mending=mend(model.shape, settled, hardware, reading.failure) if hardware else None,
    )
