"""Real cards and real models. Figures of the cards: the catalogue's accelerator files, where each has its sources."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from calculator.architecture import Shape, read_config
from calculator.hardware import Card, from_specification

HERE = Path(__file__).parent
CONFIGS = HERE.parents[2] / "calculator" / "reference" / "configs"


@cache
def _shape(name: str) -> Shape:
    return read_config(json.loads((CONFIGS / f"{name}.json").read_text()))


@pytest.fixture(scope="session")
def shape() -> Callable[[str], Shape]:
    """A model by the name of its reference config."""
    return _shape


@pytest.fixture(scope="session")
def cards() -> dict[str, Card]:
    specifications = json.loads((HERE / "cards.json").read_text())
    return {entry["slug"]: from_specification(**entry) for entry in specifications}
