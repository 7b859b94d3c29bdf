"""Derived columns are computed where they may be wrong, whoever made them so, and nowhere else."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from calculator.architecture import Shape
from calculator.architecture.forgetting import forget_shapes
from catalog import sync
from catalog.models import DataChange, LanguageModel, Need, derived, need, seals
from catalog.source import load

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def loaded(folder: Any) -> None:
    sync.sync(load(folder.path))


def rows() -> Any:
    return LanguageModel.objects.all()


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Slugs of the models that are computed from here on."""
    found: list[str] = []

    def counted(model: LanguageModel, *rest: Any) -> dict[str, Any]:
        found.append(model.slug)
        return columns(model, *rest)

    columns = derived.columns
    monkeypatch.setattr(derived, "columns", counted)
    return found


def test_what_was_computed_is_not_computed_again(computed: list[str]) -> None:
    version, moment = DataChange.version(), rows().get().updated_at
    assert derived.refresh(rows()) == 0
    assert computed == []
    assert (DataChange.version(), rows().get().updated_at) == (version, moment)


def other_config() -> None:
    row = rows().get()
    rows().update(config={**row.config, "num_hidden_layers": row.config["num_hidden_layers"] + 1})


def longer_context() -> None:
    rows().update(context_extended_tokens=F("context_tokens") * 32)


def other_column() -> None:
    rows().update(num_layers=99)


def other_memory() -> None:
    rows().update(memory_8k_bytes=1)


def other_need() -> None:
    Need.objects.filter(engine="llama.cpp").update(weights_bytes=1)


def no_needs() -> None:
    Need.objects.all().delete()


def written() -> None:
    rows().update(updated_at=timezone.now())


CHANGES = [other_config, longer_context, other_column, other_memory, other_need, no_needs, written]


@pytest.mark.parametrize("change", CHANGES)
def test_a_row_that_anybody_changed_is_computed_and_then_sealed(
    change: Callable[[], None], computed: list[str]
) -> None:
    change()
    derived.refresh(rows())
    assert computed == ["road-runner"]
    row = rows().get()
    shape = derived.shape_in(row)
    assert {name: getattr(row, name) for name in derived.DERIVED} == derived.columns(row, shape)
    columns = [field.attname for field in Need._meta.concrete_fields if not field.primary_key]
    assert {tuple(getattr(one, name) for name in columns) for one in Need.objects.all()} == {
        tuple(getattr(one, name) for name in columns) for one in need.needs_of(row, shape)
    }
    computed.clear()
    assert derived.refresh(rows()) == 0
    assert computed == []


def test_other_code_computes_every_row(computed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seals, "RULES", b"another release")
    assert derived.refresh(rows()) == 0
    assert computed == ["road-runner"]


def test_models_of_one_config_are_computed_once(computed: list[str]) -> None:
    row = rows().get()
    for number, longer in enumerate((False, False, True)):
        row.pk, row.slug, row.shipped = None, f"copy-{number}", None
        row.context_extended_tokens = 2 * row.context_tokens if longer else None
        row.save(force_insert=True)
    computed.clear()
    told = list(Need.objects.order_by("model__slug", "engine").values_list("model__slug", "engine", "held_8k_bytes"))
    Need.objects.all().delete()
    rows().update(num_layers=99)
    assert derived.refresh(rows()) == 4
    assert computed == ["copy-0", "copy-2"]
    assert told == list(
        Need.objects.order_by("model__slug", "engine").values_list("model__slug", "engine", "held_8k_bytes")
    )
    assert set(rows().values_list("num_layers", flat=True)) == {row.num_layers}


def test_of_many_models_the_shapes_of_a_few_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each with a config of its own. The caches of functions would hold all, up to some thousands.

    Objects are told by their type alone: `isinstance` would evaluate lazy ones that earlier tests left.
    """
    row = rows().get()
    for number in range(10):
        row.pk, row.slug, row.shipped = None, f"copy-{number}", None
        row.config = {**row.config, "vocab_size": row.config["vocab_size"] + 64}
        row.save(force_insert=True)
    forget_shapes()
    monkeypatch.setattr(derived, "MOST_HELD", 3)
    held: list[int] = []

    def counted(model: LanguageModel, *rest: Any) -> dict[str, Any]:
        gc.collect()
        held.append(sum(type(each) is Shape for each in gc.get_objects()))
        return columns(model, *rest)

    columns = derived.columns
    monkeypatch.setattr(derived, "columns", counted)
    rows().update(seal="")
    assert derived.refresh(rows()) == 0
    assert len(held) == 11
    assert max(held) - held[0] < 3


def test_every_derived_column_is_sealed() -> None:
    row = rows().get()
    assert set(derived.columns(row, derived.shape_in(row))) == set(derived.DERIVED)


@pytest.mark.parametrize("file", ["program/memory/vllm/classes.toml", "program/architecture/read.py", "models/need.py"])
def test_whatever_decides_a_number_is_a_rule(file: str, tmp_path: Path) -> None:
    for name in ("models/derived.py", "models/language_model.py", "models/need.py", file, "program/memory/x/read.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    before = rules(tmp_path)
    (tmp_path / "program/memory/__pycache__").mkdir()
    (tmp_path / "program/memory/__pycache__/read.pyc").write_bytes(b"compiled")
    assert rules(tmp_path) == before
    (tmp_path / file).write_text("another")
    changed = rules(tmp_path)
    assert changed != before
    (tmp_path / "program/memory/x/read.py").rename(tmp_path / "program/memory/read.py")
    assert rules(tmp_path) != changed


def rules(root: Path) -> bytes:
    return seals._rules(root / "program", root / "models")
