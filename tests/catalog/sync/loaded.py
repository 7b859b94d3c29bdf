"""A folder of data, loaded, and what is in the database then."""

from __future__ import annotations

from typing import Any

from catalog import sync
from catalog.models import LanguageModel
from catalog.source import load
from catalog.sync.kinds import KINDS

CARD, SCORES = "models/acme/road-runner/card.toml", "models/acme/road-runner/scores.toml"


def run(folder: Any, *, theirs: bool = False) -> sync.Report:
    return sync.sync(load(folder.path), theirs=theirs)


def model() -> Any:
    return LanguageModel.objects.get(slug="road-runner")


def everything() -> list[list[dict[str, Any]]]:
    """All rows with all columns, but for the moment of the last change."""
    rows = []
    for kind in KINDS:
        found = kind.model._base_manager.order_by("pk").values()
        rows.append([{name: value for name, value in row.items() if name != "updated_at"} for row in found])
    return rows
