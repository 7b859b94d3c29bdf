"""A card that was checked by this code is not checked again; one that says anything else is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache

from catalog.source import load
from catalog.source.facts import Finding, check_model
from catalog.source.records import ModelRecord
from catalog.sync import checked_cards
from catalog.sync.checked_cards import CheckedCards


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Slugs of the cards that are checked."""
    found: list[str] = []

    def counted(model: ModelRecord) -> list[Finding]:
        found.append(model.slug)
        return list(check_model(model))

    cache = LocMemCache("checked-cards", {})
    cache.clear()
    monkeypatch.setattr(checked_cards, "caches", {"checked": cache})
    monkeypatch.setattr(checked_cards, "EachOnce", lambda: counted)
    return found


def findings(model: ModelRecord) -> list[Finding]:
    cards = CheckedCards()
    found = list(cards.check(model))
    cards.keep()
    return found


def test_a_card_is_checked_once_and_its_faults_are_known(folder: Any, asked: list[str]) -> None:
    (model,) = load(folder.path).models
    wrong = model.model_copy(update={"active_parameters": (model.total_parameters or 0) + 1})
    assert findings(model) == list(check_model(model))
    for _turn in range(2):
        assert findings(wrong) == list(check_model(wrong)) != []
    assert asked == ["road-runner", "road-runner"]
    findings(model)
    assert len(asked) == 3, "what nobody asked for the last time is forgotten"


def test_another_config_is_another_card(folder: Any, asked: list[str]) -> None:
    (model,) = load(folder.path).models
    findings(model)
    findings(model.model_copy(update={"config": {**(model.config or {}), "num_hidden_layers": 3}}))
    assert len(asked) == 2


def test_where_nothing_can_be_kept_every_card_is_checked(
    folder: Any, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Unwritable(dict[str, Any]):
        def __getitem__(self, name: str) -> Any:
            raise PermissionError(name)

    monkeypatch.setattr(checked_cards, "caches", Unwritable())
    (model,) = load(folder.path).models
    for _turn in range(2):
        assert findings(model) == list(check_model(model))
    assert len(asked) == 2


def test_what_is_damaged_is_written_anew(
    folder: Any, asked: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checked_cards, "caches", {"checked": FileBasedCache(str(tmp_path / "cache"), {})})
    (model,) = load(folder.path).models
    findings(model)
    (kept,) = (tmp_path / "cache").iterdir()
    kept.write_bytes(kept.read_bytes()[:-9])
    assert findings(model) == list(check_model(model))
    assert len(asked) == 2
    findings(model)
    assert len(asked) == 2
