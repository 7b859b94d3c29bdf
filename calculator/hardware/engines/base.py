"""What an engine says of hardware: every question that a page, a fit, a bound on speed or a command asks of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple, Protocol

from calculator.architecture.shape import Shape
from calculator.hardware.cards import Card
from calculator.hardware.command import Command, WeightSource
from calculator.hardware.fit import Fit
from calculator.hardware.headroom import Headroom
from calculator.hardware.kv_formats import element_bytes
from calculator.hardware.rates import Lanes, Rate
from calculator.hardware.reason import Reason
from calculator.hardware.support import Support
from calculator.hardware.weight_bytes import WeightBytes
from calculator.memory import Estimate, Workload
from calculator.memory.workload import InFormat

Setting = int | float | str
Sizes = tuple[int, int, int]
Left = Callable[[Workload], int]
"""Bytes that a card has beyond what makes a workload fit; below zero where it does not."""


class Alike(NamedTuple):
    """What an engine asks of a card before it plans its memory, as fields of a `Workload`. None: it does not ask."""

    card_bytes: int | None = None
    capability: tuple[int, int] | None = None
    card_name: str | None = None
    multiprocessors: int | None = None
    back_end: str | None = None

    def on(self, workload: Workload) -> Workload:
        return workload.but(**dict(zip(self._fields, self, strict=True)))


class ByFormat(Protocol):
    def __call__(
        self, shape: Shape, workload: Workload, names: Iterable[str], most_bytes: float = ...
    ) -> Iterator[InFormat]: ...


@dataclass(frozen=True, kw_only=True)
class HardwareEngine(ABC):
    """One engine on cards. Its package in `calculator.hardware.engines` holds one instance, `ENGINE`.

    A subclass that leaves a question open cannot be made. `flags` are the knobs that a reader may turn (attributes of
    `Workload`) and the engine's own name for each. `allowance` is how much more than its figure a device may need
    where an estimate has no interval of its own. `shared_block_tokens` is how many tokens of a common beginning several
    sequences share at a time (automatic prefix caching); None where each has its own cache. `fullest_bytes` is what the
    fullest device needs, at least, as counted and at the most, of a workload whose defaults are resolved, where that is
    told in a fraction of the time that an estimate takes; it raises WorkloadError like one. `at_rest_bytes` is no more
    than that, told in a fraction of that time again. `by_format` says the like
    of each of some weight formats, one after the other, whatever that of the workload is, but for those in which a
    device needs more than a limit at the least; `passed_bytes` what `weight_bytes` says, of a workload alone.
    `usual_format` is the format of most weights that it runs, where that does not follow from a model.
    """

    flags: Mapping[str, str]
    allowance: Headroom
    support: Support
    shared_block_tokens: int | None
    fullest_bytes: Callable[[Shape, Workload], Sizes] | None = None
    at_rest_bytes: Callable[[Shape, Workload], Sizes] | None = None
    by_format: ByFormat | None = None
    passed_bytes: Callable[[Shape, Workload], WeightBytes] | None = None
    usual_format: str | None = None

    @abstractmethod
    def alike_bytes(self, device_bytes: int) -> int | None:
        """The least memory of the cards that are treated like one of `device_bytes`; None: all are treated alike."""

    def alike(self, card: Card) -> Alike:
        """What is the same of all cards that are treated like this one."""
        return Alike(self.alike_bytes(card.device_bytes))

    def beside(self, asked: Alike, workload: Workload) -> tuple[Alike, Sizes]:
        """Cards on which the same workload lies the same, and how many bytes more than on them each device of `asked`
        needs at the least, as counted and at the most (which is the same for every workload): what an engine keeps
        beside a model can differ from card to card when nothing else does."""
        return asked, (0, 0, 0)

    def rounded(self, workload: Workload) -> Workload:
        """One that takes the same bytes on any cards, and is the same for many contexts where an engine counts them in
        steps."""
        return workload

    def at_least_bytes(self, shape: Shape, workload: Workload) -> int:
        """Less than what a workload, its defaults resolved, needs on all cards together, however many: 0, or what is
        told in a fraction of the time that placing it takes."""
        return 0

    def offered_bytes(self, card: Card, workload: Workload) -> tuple[int, int]:
        """What the program takes of one card unasked, and the most that it can be told to take; beside either, what
        it does not count lies there too (`Estimate.outside_bytes`)."""
        return card.usable_bytes, card.usable_bytes

    def card_needs(self, shape: Shape) -> frozenset[str]:
        """What this model's layers need of a card that not every card has, in the engine's own words."""
        return frozenset()

    def needs_reasons(self, card: Card, needs: frozenset[str]) -> Iterable[Reason]:
        """Which of `card_needs` this card lacks."""
        return ()

    @abstractmethod
    def format_reasons(self, card: Card, weight_format: str) -> Iterable[Reason]:
        """Whether the card computes in `weight_format`, unpacks it, or cannot use it."""

    @abstractmethod
    def splits(self, devices: int) -> Iterable[tuple[int, int]]:
        """(tensor, pipeline) parallel, whose product is `devices`, in the order in which they are tried."""

    def shares(self, devices: Sequence[Card]) -> tuple[float, ...] | None:
        """How a model is dealt out to cards of several kinds, where nobody says how; None: all must be of one kind."""
        return None

    @abstractmethod
    def split_reasons(self, shape: Shape, workload: Workload) -> Iterator[Reason]:
        """How a workload on several devices is split, and what every part repeats."""

    @abstractmethod
    def weight_bytes(self, shape: Shape, estimate: Estimate) -> WeightBytes:
        """The weights that a token passes, over all cards and in RAM."""

    @abstractmethod
    def lanes(self, workload: Workload, devices: int) -> Lanes:
        """How many of `devices` work at the same time."""

    @abstractmethod
    def rate(self, card: Card, weight_format: str) -> Rate:
        """The fastest rate of one card that the engine could use with weights in this format."""

    @abstractmethod
    def least_offload(self, shape: Shape, workload: Workload, left: Left, at_most: Left | None) -> Workload | None:
        """`workload` with as little in RAM as makes it fit; None where nothing can go there, or too little. `left` is
        never more than `at_most`, which is told much sooner, if it is told."""

    @abstractmethod
    def commands(self, workload: Workload, source: WeightSource, hub: str, fit: Fit | None) -> tuple[Command, ...]:
        """What starts `workload`, whose defaults are resolved, with weights from `hub`; as it was placed in `fit`."""

    @abstractmethod
    def with_draft(self, command: Command, draft: WeightSource, weight_format: str) -> Command:
        """`command` with a draft model that guesses ahead, or with a note that the program takes none."""

    def settings(self, workload: Workload) -> dict[str, Setting]:
        """What the program runs with, for each of `flags`: what `workload` says, or else its own default on that card.

        What it derives only while it runs is left out.
        """
        asked = {name: getattr(workload, name) for name in self.flags}
        return {name: value for name, value in asked.items() if value is not None}

    def kv_element_bytes(self, kv_format: str) -> Fraction:
        """Bytes of one cached value, block scales included."""
        return element_bytes(kv_format)
