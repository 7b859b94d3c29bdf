"""Real cards and real models, from the catalogue's own files, where each figure has its sources."""

from __future__ import annotations

import inspect
import json
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from calculator.architecture import Shape, read_config
from calculator.hardware import Card, from_specification

DATA = Path(__file__).parents[3] / "catalog" / "data"
SPECIFIED = set(inspect.signature(from_specification).parameters)


@cache
def _shape(slug: str) -> Shape:
    (path,) = DATA.glob(f"models/*/{slug}/config.json")
    return read_config(json.loads(path.read_text()))


@pytest.fixture(scope="session")
def shape() -> Callable[[str], Shape]:
    """A model of the catalogue by its slug."""
    return _shape


@pytest.fixture(scope="session")
def cards() -> dict[str, Card]:
    """Every accelerator of the catalogue by its slug."""
    return {
        entry["slug"]: _card(entry, vendor=path.stem)
        for path in sorted(DATA.glob("accelerators/*.toml"))
        for entry in tomllib.loads(path.read_text())["accelerator"]
    }


def _card(entry: dict[str, object], vendor: str) -> Card:
    known = {key: value for key, value in entry.items() if key in SPECIFIED}
    return from_specification(**known | {"name": entry["name_en"], "vendor": vendor})  # type: ignore[arg-type]
