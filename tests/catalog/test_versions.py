"""What is cached is found again by the same code over the same data, and by nothing else."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import caches
from django.db import transaction

from catalog import sync, versions
from catalog.accelerators.runs import Run, runs
from catalog.bridge.cards import all_cards
from catalog.models import Accelerator, DataChange, LanguageModel, Score
from catalog.source import load
from catalog.sync.kinds import KINDS
from config.context import data_date

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(tmp_path: Path, settings: Any) -> Path:
    for name in ("calculator", "catalog/data", "templates"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "calculator/rule.py").write_text("BYTES = 2")
    (tmp_path / "constraints.txt").write_text("django==5.2.19")
    (tmp_path / "pyproject.toml").touch()
    settings.BASE_DIR = tmp_path
    return tmp_path


@pytest.mark.parametrize(
    ("file", "text", "new"),
    [
        ("calculator/rule.py", "BYTES = 4", True),
        ("templates/page.html", "", True),
        ("constraints.txt", "django==5.2.20", True),
        ("calculator/rule.py", "BYTES = 2", False),  # saved again
        ("catalog/data/licences.toml", "", False),  # reaches pages through the database
        ("calculator/__pycache__/rule.pyc", "", False),
        ("db.sqlite3", "", False),
    ],
)
def test_a_release_is_its_code(program: Path, file: str, text: str, new: bool) -> None:
    before = versions.release.__wrapped__()
    (program / file).parent.mkdir(exist_ok=True)
    (program / file).write_text(text)
    assert (versions.release.__wrapped__() != before) is new


def test_a_release_is_the_same_in_another_folder(program: Path, tmp_path: Path, settings: Any) -> None:
    before = versions.release.__wrapped__()
    settings.BASE_DIR = shutil.copytree(program, tmp_path / "elsewhere")
    assert versions.release.__wrapped__() == before


def test_keys_hold_the_release_and_all_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [versions.key("run", *parts) for parts in ((), ("a", "b"), ("ab",), (("a", "b"),), ("1",), (1,), (None,))]
    monkeypatch.setattr(versions, "release", lambda: "next")
    keys.append(versions.key("run", "a", "b"))
    assert len(set(keys)) == len(keys)
    assert all(len(key) < 50 and key.isascii() and " " not in key for key in keys)


@pytest.fixture
def loaded(folder: Any) -> Any:
    sync.sync(load(folder.path))
    return folder


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_edit_is_another_state(loaded: Any, kind: Any) -> None:
    seen = [DataChange.version()]
    row = kind.model._base_manager.first()
    row.save()
    seen.append(DataChange.version())
    if kind.name in ("accelerator", "alias", "source", "score"):  # the others are needed by rows
        row.delete()
        seen.append(DataChange.version())
    assert len(set(seen)) == len(seen)


def test_a_sync_is_another_state_where_it_changed_something(loaded: Any) -> None:
    before = DataChange.version()
    assert not sync.sync(load(loaded.path)).changed
    assert DataChange.version() == before
    loaded.replace("models/acme/road-runner/scores.toml", "61.5", "62.5")
    sync.sync(load(loaded.path))
    assert DataChange.version() != before
    loaded.replace("models/acme/road-runner/scores.toml", "62.5", "63.5")
    sync.sync(load(loaded.path))
    assert DataChange.objects.count() == 1, "those before are forgotten"


def test_a_state_is_not_that_of_another_database() -> None:
    DataChange.record()
    before = DataChange.version()
    DataChange.objects.all().delete()
    DataChange.record()
    assert DataChange.version() != before


def test_a_backup_that_was_brought_back_and_changed_is_another_version() -> None:
    """As many changes as before, of which only the last differs: under a random name, that would seldom be seen."""
    for _change in range(20):
        DataChange.record()
    seen = []
    for _time in range(20):
        with transaction.atomic():
            DataChange.record()
            seen.append(DataChange.version())
            transaction.set_rollback(True)
    assert len(set(seen)) == 20


def test_cards_and_the_footer_follow_an_edit_at_once(loaded: Any) -> None:
    card, score = Accelerator.objects.get(), Score.objects.order_by("date").last()
    assert score is not None
    assert (all_cards()[0].memory_gb, data_date()) == (64, date(2025, 6, 1))
    card.memory_gb, score.date = 96, "2026-10-30"
    card.save()
    score.save()
    assert (all_cards()[0].memory_gb, data_date()) == (96, date(2026, 10, 30))


QUESTIONS = [("llama.cpp", 4096), ("llama.cpp", 10**6), ("vllm", 4096)]


@pytest.mark.parametrize(("engine", "tokens"), QUESTIONS)
def test_a_run_is_computed_once(loaded: Any, monkeypatch: pytest.MonkeyPatch, engine: str, tokens: int) -> None:
    def asked() -> list[Run]:
        return runs(list(LanguageModel.objects.all()), Accelerator.objects.get(), 1, engine, tokens)

    first = asked()
    for name in ("best_held", "best_format"):
        monkeypatch.setattr(f"catalog.accelerators.runs.{name}", None)  # would raise if it were called
    assert asked() == first
    with pytest.raises(TypeError):
        runs(list(LanguageModel.objects.all()), Accelerator.objects.get(), 2, engine, tokens)


def test_a_run_follows_an_edit_of_the_model_or_the_card(loaded: Any) -> None:
    def needed() -> int | None:
        return runs([LanguageModel.objects.get()], Accelerator.objects.get(), 1, "llama.cpp", 4096)[0].spare_bytes

    seen = [needed()]
    model, card = LanguageModel.objects.get(), Accelerator.objects.get()
    model.config["vocab_size"] = 2000  # type: ignore[index]
    model.save()
    seen.append(needed())
    card.memory_gb = 96
    card.save()
    assert len({*seen, needed()}) == 3


def test_what_one_process_wrote_is_read_by_all(tmp_path: Path, settings: Any) -> None:
    files = {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": tmp_path}
    settings.CACHES = settings.CACHES | {"written": files}
    assert versions.written_once("key", lambda: {"above": "<p>"}) == {"above": "<p>"}
    caches["answers"].clear()  # another process has a memory of its own
    assert versions.written_once("key", lambda: pytest.fail("written again")) == {"above": "<p>"}
    assert versions.written_once("other", lambda: {"above": "<b>"}) == {"above": "<b>"}


def test_without_files_each_process_writes_for_itself(tmp_path: Path, settings: Any) -> None:
    (tmp_path / "taken").touch()
    files = {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": tmp_path / "taken"}
    settings.CACHES = settings.CACHES | {"written": files}
    assert versions.written_once("alone", lambda: {"above": "<p>"}) == {"above": "<p>"}
