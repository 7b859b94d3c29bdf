"""What a log says: engine, model, settings, the memory that was printed, and how the run ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Setting = int | float | str | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """One figure. `quote` is the part of the line that was understood: fixed words and numbers, nothing else of it.

    `value` is in bytes (`kv_tokens`: tokens), `resolution` half of the last digit printed. `place` says whose it is:
    `card` (the device named), `each` (one card of several alike), `all` (all cards together) or `host` (RAM).
    """

    quantity: str
    value: int
    resolution: int
    quote: str
    place: str = "card"
    device: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedCard:
    """A card that the log names. `used_bytes` is what `nvidia-smi` shows; bytes are None where they are not printed."""

    index: int
    name: str = ""
    total_bytes: int | None = None
    free_bytes: int | None = None
    used_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """How the run ended (`terms.FAILURES`). `part` is what was being allocated, `bytes` how much was asked for at once.

    `values` fill the sentence: bytes end in `_bytes`, the rest are tokens or fractions.
    """

    key: str
    quote: str
    part: str = ""
    bytes: int | None = None
    values: Mapping[str, int | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """All that was understood of one log.

    `program` is what printed it (`llama.cpp`, `ollama`, `vllm`, `sglang`, `nvidia-smi`), `engine` the engine of the
    memory model that answers for it, empty where that is not known. `names` are the model's, the most telling first;
    `shown` is its shape as printed, in this project's words. `settings` has the names of `calculator.memory.Workload`
    where it has such a field. `traits` are remarks (`terms.TRAITS`) that bear on a comparison.
    """

    program: str
    engine: str
    build: str = ""
    names: tuple[str, ...] = ()
    blob: str = ""
    shown: Mapping[str, int] = field(default_factory=dict)
    settings: Mapping[str, Setting] = field(default_factory=dict)
    printed: tuple[Printed, ...] = ()
    cards: tuple[PrintedCard, ...] = ()
    failure: Failure | None = None
    traits: frozenset[str] = frozenset()

    def of(self, quantity: str, *places: str) -> tuple[Printed, ...]:
        """The figures of one quantity, of the places named or of all."""
        return tuple(
            each for each in self.printed if each.quantity == quantity and (not places or each.place in places)
        )
