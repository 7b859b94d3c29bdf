"""What people said in public of whole runs, "it runs" or "it does not", beside what we say of the same cards.

Asked as a page asks: the card by its data sheet, then `hardware.fit`, or for fine-tuning `training_memory`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from calculator.accuracy.case import settings_of
from calculator.accuracy.references import measured_shape, reference_lines
from calculator.architecture import Shape
from calculator.hardware import Card, Training, fit, from_specification, training_memory, training_state
from calculator.hardware.headroom import PYTORCH
from calculator.memory import Workload

MIB = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`state` is ours: `predicted_bytes` of the fullest card, `least_bytes` to `most_bytes`, of `offered_bytes`.

    `refused`: for another reason than memory. `ran` is what was said, `quote` how. `remark` says what was assumed.
    """

    id: str
    model: str
    engine: str
    configuration: Mapping[str, Any]
    card: Card
    count: int
    ran: bool
    state: str
    refused: bool
    least_bytes: int
    predicted_bytes: int
    most_bytes: int
    offered_bytes: int
    origin: str
    quote: str
    source: str | None
    remark: str

    @property
    def fits(self) -> bool:
        return self.predicted_bytes <= self.offered_bytes and not self.refused

    @property
    def agrees(self) -> bool:
        """Our figure fits in what the engine is offered where it ran, and does not where it did not run."""
        return self.ran is self.fits

    @property
    def clear(self) -> bool:
        """The whole interval says so."""
        return self.state != "tight"


@cache
def verdicts() -> tuple[Verdict, ...]:
    """In the order of the file."""
    return tuple(_verdicts())


def _verdicts() -> Iterator[Verdict]:
    for line in reference_lines("verdicts.jsonl"):
        shape, card = measured_shape(line), _card(line)
        answer = _trained(shape, line, card) if "training" in line else _served(shape, line, card)
        asked = line.get("training") or line["workload"]
        yield Verdict(
            id=line["id"],
            model=line["model"],
            engine=line["engine"],
            configuration={name: value for name, value in settings_of(asked).items() if name != "program"},
            card=card,
            count=line.get("cards", 1),
            ran=line["ran"],
            **answer,
            origin=line["runtime"],
            quote=line["quote"],
            source=line["source"],
            remark=line.get("remark", ""),
        )


def _card(line: Mapping[str, Any]) -> Card:
    """`free_mib` is what the log says was left of it before anything was loaded; `budget_bytes` what was promised."""
    card = from_specification(**{"slug": "", **line["card"]})
    if "free_mib" in line:
        return replace(card, usable_bytes=line["free_mib"] * MIB)
    return replace(card, usable_bytes=line["budget_bytes"]) if "budget_bytes" in line else card


def _served(shape: Shape, line: Mapping[str, Any], card: Card) -> dict[str, Any]:
    workload = Workload(engine=line["engine"], **line["workload"])
    answer = fit(shape, workload, card, line.get("cards", 1))
    spare, figure = answer.spare_bytes, answer.per_card_bytes or 0
    return {
        "state": answer.state,
        "refused": answer.refused or spare is None,
        "least_bytes": answer.least_bytes or 0,
        "predicted_bytes": figure,
        "most_bytes": answer.most_bytes or 0,
        "offered_bytes": figure + (spare or 0),
    }


def _trained(shape: Shape, line: Mapping[str, Any], card: Card) -> dict[str, Any]:
    needed = training_memory(shape, Training(**line["training"])).per_device_bytes
    return {
        "state": training_state(needed, card.device_bytes),
        "refused": False,
        "least_bytes": needed,
        "predicted_bytes": needed,
        "most_bytes": needed + PYTORCH.of(card.device_bytes),
        "offered_bytes": card.device_bytes,
    }
