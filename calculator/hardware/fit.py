"""How a workload fits on some cards, and by how much."""

from __future__ import annotations

from dataclasses import dataclass

from calculator.hardware.cards import Card
from calculator.hardware.reason import Reason
from calculator.memory import Estimate, Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Sized:
    """The numbers of a `Fit` that a list of cards shows, without its reasons and its estimate."""

    card: Card
    count: int
    state: str
    per_card_bytes: int
    spare_bytes: int

    @property
    def usable_bytes(self) -> int:
        """Usable memory of all cards together."""
        return self.card.usable_bytes * self.count


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """The answer for `count` cards of a kind, and what stands `beside` them. Bytes are per card, for the fullest card.

    What a card needs is known to an interval, `least_bytes` to `most_bytes`, in which `per_card_bytes` is our figure.
    `state` is `fits` (the whole interval fits in what the engine takes of a card unasked), `tight` (a part of it, or
    only in what the engine can be told to take) or `does_not_fit` (not even its lower end). `spare_bytes` is what the
    card has beyond our figure, and `headroom_bytes` how much that must be for `fits`; it may be a little below zero
    where the state is `tight`. `needed_bytes` is the sum over all cards. `workload` has the parallelism this answer
    assumes.
    """

    state: str
    card: Card
    fullest: Card  # the kind that the bytes are of: `card`, or one of those beside it
    count: int
    workload: Workload
    estimate: Estimate | None
    per_card_bytes: int | None  # None: the model cannot be split this way, so there is no number
    needed_bytes: int | None
    spare_bytes: int | None
    headroom_bytes: int
    least_bytes: int | None
    most_bytes: int | None
    most_spare_bytes: int | None  # what the card has beyond the lower end
    reasons: tuple[Reason, ...]

    @property
    def usable_bytes(self) -> int:
        """Usable memory of all cards together."""
        return self.card.usable_of(self.count)

    @property
    def refused(self) -> bool:
        """Does not fit for another reason than memory."""
        return any(reason.blocks and reason.key != "too_large" for reason in self.reasons)
