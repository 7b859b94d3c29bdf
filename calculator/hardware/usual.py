"""The engine to begin with on given cards, and what they say of an engine before a model is named."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from calculator.hardware.cards import Card
from calculator.hardware.engines import engine_named
from calculator.hardware.reason import Reason
from calculator.hardware.verdict import card_reasons
from calculator.memory import ENGINES, Workload
from calculator.memory.workload import DEFAULT_ENGINE


@lru_cache(maxsize=512)
def card_remarks(card: Card, engine: str) -> Sequence[Reason]:
    """What `card` and those beside it say of an engine and of the weights that it mostly runs, each thing once."""
    asked = Workload(engine=engine, weight_format=engine_named(engine).usual_format)
    said = (reason for kind, _number in card.kinds(1) for reason in card_reasons(kind, asked, frozenset()))
    return tuple({str(reason): reason for reason in said}.values())


def usual_engine(card: Card) -> str:
    """The first that is known to run on the card, by itself or by a package beside it, whichever formats are left to
    the processor; where that is known of none, the first of all."""
    return next((name for name in ENGINES if all(map(_runs, card_remarks(card, name)))), DEFAULT_ENGINE)


def _runs(said: Reason) -> bool:
    return not said.blocks and said.key != "engine_support_unknown"
