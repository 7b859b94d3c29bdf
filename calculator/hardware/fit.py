"""How a workload fits on some cards, and by how much."""

from __future__ import annotations

from dataclasses import dataclass

from calculator.hardware.cards import Card
from calculator.hardware.reason import Reason
from calculator.memory import Estimate, Workload


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
